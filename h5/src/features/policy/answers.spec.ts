import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'

import { ApiError } from '@/api/error'
import type { Session } from '@/api/session'
import * as feedback from '@/composables/feedback'
import { useSession } from '@/stores/session'

import AnswerList from './AnswerList.vue'
import AnswerPage from './AnswerPage.vue'
import * as api from './api'
import GrantList from './GrantList.vue'
import GrantPage from './GrantPage.vue'
import { placeLook } from './labels'
import PolicyRevisions from './PolicyRevisions.vue'
import routes from './routes'

const item: api.AnswerItem = {
  number: 'n1',
  kind: 'own',
  kindName: '本企业匹配',
  at: '2026-11-22T02:00:00Z',
  policies: 1,
  title: '《烘焙小店措施》',
  edition: 2,
  until: '2028-11-22T02:00:00Z',
}
const answer: api.GivenAnswer = {
  ...item,
  same: true,
  result: {
    at: item.at,
    on: '2026-11-22',
    enterprise: '禾谷坊',
    groups: [{ group: 'eligible', word: '符合', note: '', count: 0, items: [] }],
    facts: [{ field: 'employees', label: '从业人员', value: '14 人', stated: false }],
    wanted: [
      { field: 'qualification', label: '资质', reason: 'not_collected', why: '尚未采集该数据', policies: 2 },
    ],
  },
}
const revisions = {
  items: [
    {
      no: 3,
      publishedAt: '2026-11-20T02:00:00Z',
      current: true,
      changes: [
        {
          field: 'closesOn',
          label: '申报截止日期',
          paragraphs: [
            {
              kind: 'changed' as const,
              pieces: [
                { kind: 'same' as const, text: '2027-' },
                { kind: 'removed' as const, text: '01' },
                { kind: 'added' as const, text: '03' },
              ],
            },
            { kind: 'same' as const, pieces: [{ kind: 'same' as const, text: '没有改的一段' }] },
          ],
        },
      ],
    },
    { no: 1, publishedAt: '2026-10-20T02:00:00Z', current: false, changes: [] },
  ],
}
const shown: api.PublicGrant = {
  id: 4,
  policyId: 3,
  title: '烘焙小店措施',
  state: 'public',
  stateName: '公示中',
  publicAt: '2026-11-20T02:00:00Z',
  publicUntil: '2026-11-27T15:59:59Z',
  open: true,
  companies: 1,
}
const mine: api.MyGrant = {
  id: 4,
  policyId: 3,
  title: shown.title,
  state: 'confirming',
  stateName: '企业确认中',
  mine: 'listed',
  mineName: '在名单内',
  mayConfirm: true,
}
const company: api.ShownGrant['items'][number] = {
  enterpriseId: 70,
  name: '禾谷坊烘焙有限公司',
  creditCode: '9111**********0001',
  town: '九棵树街道',
  state: 'listed',
  stateName: '在名单内',
}

async function open(component: object, props = {}, signedIn = true) {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/', component: page },
      ...routes.map(({ path, name }) => ({ path, name, component: page })),
    ],
  })
  await router.push('/')
  const pinia = createPinia()
  setActivePinia(pinia)
  useSession().accept({
    signedIn,
    csrfToken: 'x',
    permissions: [],
    deputed: [],
    enterprise: signedIn ? { id: 70, name: '禾谷坊', verification: 'verified' } : null,
  } as unknown as Session)
  const wrapper = mount(component as typeof GrantList, {
    props,
    global: { plugins: [router, pinia] },
    attachTo: document.body,
  })
  await flushPromises()
  return { wrapper, router }
}

beforeEach(() => {
  document.body.innerHTML = ''
  vi.restoreAllMocks()
})
afterAll(() => new Promise((resolve) => setTimeout(resolve, 200)))

const press = async (wrapper: Awaited<ReturnType<typeof open>>['wrapper'], words: string) => {
  await wrapper
    .findAll('button')
    .find((button) => button.text() === words)!
    .trigger('click')
  await flushPromises()
}

describe('answers', () => {
  it('are listed with edition and day', async () => {
    vi.spyOn(api, 'listAnswers').mockResolvedValue({
      items: [
        item,
        { ...item, number: 'n2', kind: 'quick', title: undefined, edition: undefined, policies: 6 },
      ],
    })
    const text = (await open(AnswerList)).wrapper.text()
    for (const said of [
      '与《烘焙小店措施》的匹配',
      '按政策第 2 版',
      '2026年11月22日',
      '按填写的条件匹配',
      '涉及 6 项政策',
    ]) {
      expect(text).toContain(said)
    }
  })
  it('open as they were judged, and do not ask for what was missing then', async () => {
    vi.spyOn(api, 'getAnswer').mockResolvedValue(answer)
    const { wrapper } = await open(AnswerPage, { number: 'n1' })
    expect(wrapper.text()).toContain('按政策第 2 版')
    expect(wrapper.text()).toContain('答复编号 n1')
    expect(wrapper.text()).not.toContain('补充这些信息')
    expect(wrapper.text()).not.toContain('不一致')
  })
  it('are deleted after asking, once, and a refusal is said', async () => {
    vi.spyOn(api, 'getAnswer').mockResolvedValue(answer)
    const ask = vi.spyOn(feedback, 'confirm').mockResolvedValueOnce(false).mockResolvedValue(true)
    const say = vi.spyOn(feedback, 'say').mockImplementation(() => undefined)
    const remove = vi
      .spyOn(api, 'removeAnswer')
      .mockRejectedValueOnce(new ApiError('forbidden', { message: '须由企业负责人删除' }))
      .mockResolvedValue(undefined as never)
    const { wrapper, router } = await open(AnswerPage, { number: 'n1' })
    await press(wrapper, '删除答复')
    expect(remove).not.toHaveBeenCalled()
    await press(wrapper, '删除答复')
    expect(say).toHaveBeenCalledWith('须由企业负责人删除')
    await press(wrapper, '删除答复')
    expect(ask).toHaveBeenCalledTimes(3)
    expect(remove.mock.calls[0]).toEqual(remove.mock.calls[1])
    expect(router.currentRoute.value.name).toBe('policy-answers')
  })
  it('say that one was deleted or is not for the reader', async () => {
    vi.spyOn(api, 'getAnswer').mockRejectedValue(new ApiError('not_found'))
    expect((await open(AnswerPage, { number: 'x' })).wrapper.text()).toContain(
      '答复已删除、已到期，或不对您开放',
    )
  })
})

describe('lists without application', () => {
  it('say which wait for the own company', async () => {
    vi.spyOn(api, 'listGrants').mockResolvedValue([shown, { ...shown, id: 5, title: '别的措施' }])
    vi.spyOn(api, 'myGrants').mockResolvedValue([mine])
    const text = (await open(GrantList)).wrapper.text()
    expect(text).toContain('待本企业确认')
    expect(text.match(/烘焙小店措施/g)).toHaveLength(1)
    expect(text).toContain('别的措施')
    expect(placeLook({ ...mine, mine: 'confirmed', mineName: '已确认' }).word).toBe('已确认')
  })
  it('do not ask for a company of a visitor', async () => {
    vi.spyOn(api, 'listGrants').mockResolvedValue([])
    const own = vi.spyOn(api, 'myGrants')
    expect((await open(GrantList, {}, false)).wrapper.text()).toContain('目前没有公示的名单')
    expect(own).not.toHaveBeenCalled()
  })
  it('are confirmed with one key for one wish', async () => {
    const load = vi
      .spyOn(api, 'getGrant')
      .mockResolvedValue({ ...shown, open: false, state: 'confirming', items: [company], mine })
    vi.spyOn(feedback, 'say').mockImplementation(() => undefined)
    const send = vi
      .spyOn(api, 'confirmGrant')
      .mockRejectedValueOnce(new ApiError('network'))
      .mockResolvedValue({ ...mine, mine: 'confirmed', mineName: '已确认' })
    const { wrapper } = await open(GrantPage, { id: 4 })
    expect(wrapper.text()).toContain('禾谷坊烘焙有限公司')
    expect(wrapper.text()).not.toContain('提出异议')
    await press(wrapper, '确认享受')
    load.mockResolvedValue({
      ...shown,
      open: false,
      items: [company],
      mine: { ...mine, mine: 'confirmed', mineName: '已确认' },
    })
    await press(wrapper, '确认享受')
    expect(send.mock.calls[0]).toEqual(send.mock.calls[1])
    expect(send.mock.calls[1]?.slice(0, 2)).toEqual([4, true])
    expect(wrapper.text()).toContain('已确认')
    expect(wrapper.findAll('button').map((b) => b.text())).not.toContain('确认享受')
  })
  it('take an objection while they are public', async () => {
    vi.spyOn(api, 'getGrant').mockResolvedValue({ ...shown, items: [company] })
    const send = vi.spyOn(api, 'objectToGrant').mockResolvedValue({ number: 'YY20261122000001' })
    const { wrapper } = await open(GrantPage, { id: 4 }, false)
    await press(wrapper, '提出异议')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(wrapper.text()).toContain('请写明事实和理由')
    expect(send).not.toHaveBeenCalled()
    await wrapper.get('input[name="name"]').setValue('周明')
    await wrapper.get('input[name="phone"]').setValue('13800138000')
    await wrapper.get('textarea[name="text"]').setValue('该企业已停产，不应享受。')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(send.mock.calls[0]?.[0]).toBe(4)
    expect(wrapper.text()).toContain('异议已收到，编号 YY20261122000001')
  })
})

describe('revisions', () => {
  it('show what an edition changed, and leave out what it did not', async () => {
    vi.spyOn(api, 'getRevisions').mockResolvedValue(revisions)
    const { wrapper } = await open(PolicyRevisions, { id: 3 }, false)
    expect(wrapper.text()).toContain('2026年11月20日发布（现行版）')
    expect(wrapper.get('del').text()).toBe('01')
    expect(wrapper.get('ins').text()).toBe('03')
    expect(wrapper.text()).toContain('首次发布')
    expect(wrapper.text()).not.toContain('没有改的一段')
  })
})
