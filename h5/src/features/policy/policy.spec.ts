import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'

import { ApiError } from '@/api/error'
import type { Session } from '@/api/session'
import { useSession } from '@/stores/session'

import * as api from './api'
import ConditionList from './ConditionList.vue'
import { dayText, groupLook, stateLook, supportText, windowText } from './labels'
import PolicyDetail from './PolicyDetail.vue'
import PolicyList from './PolicyList.vue'
import PolicyMatch from './PolicyMatch.vue'

const item: api.PolicyItem = {
  id: 3,
  version: 2,
  title: '烘焙小店措施',
  docNumber: '通企〔2026〕3号',
  issuer: '区商务局',
  level: 'district',
  levelName: '区级',
  topic: 'funding',
  topicName: '资金支持',
  publishedOn: '2026-07-30',
  opensOn: '2026-11-07',
  closesOn: '2027-01-21',
  window: 'open',
  windowName: '正在申报',
  benefit: '按投入的30%补助',
  capFen: 10_000_000,
  handlerName: '区商务局',
  matchable: true,
  status: 'published',
  statusName: '现行有效',
}
const lines: api.Line[] = [
  {
    kind: 'clause',
    depth: 0,
    state: 'unmet',
    word: '不满足',
    label: '从业人员',
    required: '不低于 20 人',
    actual: '14 人',
    gap: '还差 6 人',
    source: '企业填报',
    asOf: '2026-10-08',
    stated: true,
    quote: '从业人员不少于20人',
    clause: '第二条',
  },
  { kind: 'group', depth: 0, state: 'unknown', label: '以下条件满足任意一条即可' },
  { kind: 'clause', depth: 1, state: 'unknown', label: '资质', why: '尚未采集该数据' },
  { kind: 'clause', depth: 0, state: 'human', label: '配备师傅', why: '该条件无法由数据判定' },
]
const judged: api.Judged = {
  policy: item,
  group: 'nearly',
  word: '接近',
  summary: '只差一项：从业人员，还差 6 人',
  lines,
  missing: [
    {
      field: 'qualification',
      label: '资质',
      reason: 'not_collected',
      why: '尚未采集该数据',
      ask: '主管部门',
    },
  ],
}
const policy: api.Policy = {
  ...item,
  kinds: [],
  kindNames: [],
  benefits: [],
  files: [],
  clauses: [{ number: '第二条', text: '从业人员不少于20人 <script>alert(1)</script>' }],
  interpretation: '',
  faq: [],
  materials: ['申请表'],
  conditions: [{ kind: 'clause', depth: 0, label: '从业人员', required: '不低于 20 人' }],
  history: [],
}
const result: api.MatchResult = {
  at: '2026-11-22T02:00:00Z',
  on: '2026-11-22',
  enterprise: '禾谷坊',
  groups: [
    { group: 'eligible', word: '符合', note: '', count: 0, items: [] },
    { group: 'nearly', word: '接近', note: '只差一项', count: 1, items: [judged] },
  ],
  facts: [
    {
      field: 'employees',
      label: '从业人员',
      value: '14 人',
      source: '企业填报',
      asOf: '2026-10-08',
      stated: true,
    },
  ],
  wanted: [
    { field: 'qualification', label: '资质', reason: 'not_collected', why: '尚未采集该数据', policies: 2 },
  ],
}

async function open(component: object, signedIn: boolean, props = {}, path = '/') {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/', component: page },
      { path: '/policies', name: 'policies', component: page },
      { path: '/policies/match', name: 'policy-match', component: page },
      { path: '/policies/:id', name: 'policy', component: page },
      { path: '/tickets/new', component: page },
      { path: '/login', name: 'login', component: page },
    ],
  })
  await router.push(path)
  const pinia = createPinia()
  setActivePinia(pinia)
  useSession().accept({
    signedIn,
    csrfToken: 'x',
    permissions: [],
    deputed: [],
    enterprise: signedIn ? { id: 70, name: '禾谷坊', verification: 'verified' } : null,
  } as unknown as Session)
  const wrapper = mount(component as typeof PolicyList, {
    props,
    global: { plugins: [router, pinia] },
    attachTo: document.body,
  })
  await flushPromises()
  return { wrapper, router }
}

beforeEach(() => {
  document.body.innerHTML = ''
})

// Vant measures its sticky parts a tenth of a second after they are mounted.
afterAll(() => new Promise((resolve) => setTimeout(resolve, 200)))

describe('words', () => {
  it('says days, windows and support', () => {
    expect(dayText('2026-01-05')).toBe('2026年1月5日')
    expect(dayText(undefined)).toBe('')
    expect(windowText(item)).toBe('2026年11月7日 至 2027年1月21日')
    expect(windowText({ opensOn: undefined, closesOn: '2027-01-21' })).toBe('2027年1月21日 截止')
    expect(windowText({})).toBe('常年受理')
    expect(supportText(item)).toBe('最高 10 万元')
    expect(supportText({ capFen: 0 })).toBe('')
  })
  it('leaves an answer it does not know to people, and a condition unjudged', () => {
    expect(groupLook('other' as api.Group).word).toBe('需人工判定')
    expect(stateLook(undefined)).toBeNull()
    expect(stateLook('spare')?.word).toBe('可不满足')
  })
})

describe('ConditionList', () => {
  it('says for each condition what is asked, what there is, the gap and where it was learnt', async () => {
    const { wrapper } = await open(ConditionList, true, { lines })
    const text = wrapper.text()
    for (const said of [
      '不低于 20 人',
      '本企业：14 人',
      '还差 6 人',
      '来源：企业填报，截至 2026年10月8日',
      '企业自报，未经核实',
      '第二条“从业人员不少于20人”',
      '尚未采集该数据',
      '需人工判定',
    ]) {
      expect(text).toContain(said)
    }
    expect(text).not.toContain('该条件无法由数据判定')
  })
})

describe('PolicyList', () => {
  const filters: api.PolicyFilters = {
    count: 7,
    groups: [
      { name: 'window', label: '申报状态', options: [{ value: 'closing', text: '即将截止' }] },
      { name: 'kind', label: '支持方式', options: [{ value: 'tax', text: '税费减免' }] },
      { name: 'level', label: '政策层级', options: [{ value: 'city', text: '市级' }] },
      { name: 'industry', label: '适用行业', rare: true, options: [{ value: 'C', text: '制造业' }] },
    ],
  }
  const none = { window: '', kind: '', level: '', topic: '', region: '', industry: '', issuer: '' }
  it('searches, keeps it in the address, and says what to do when nothing is found', async () => {
    const load = vi
      .spyOn(api, 'listPolicies')
      .mockResolvedValueOnce({ items: [item] })
      .mockResolvedValue({ items: [] })
    vi.spyOn(api, 'policyFilters')
      .mockResolvedValueOnce(filters)
      .mockResolvedValue({ ...filters, count: 0 })
    const { wrapper, router } = await open(PolicyList, false, {}, '/policies')
    expect(wrapper.text()).toContain('烘焙小店措施')
    expect(wrapper.text()).toContain('填几项条件')
    expect(wrapper.text()).toContain('共 7 项政策')
    await wrapper.get('input[name="q"]').setValue(' 烤箱 ')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(load).toHaveBeenLastCalledWith({ q: '烤箱', ...none }, undefined)
    expect(router.currentRoute.value.query).toEqual({ q: '烤箱' })
    expect(wrapper.text()).toContain('没有找到符合条件的政策')
    expect(wrapper.text()).toContain('共 0 项政策')
    await wrapper
      .findAll('button')
      .find((button) => button.text() === '清除条件，查看全部政策')!
      .trigger('click')
    await flushPromises()
    expect(router.currentRoute.value.query).toEqual({})
    expect(load).toHaveBeenLastCalledWith({ q: '', ...none }, undefined)
  })
  it('is narrowed as the address says, and names what is chosen', async () => {
    const load = vi.spyOn(api, 'listPolicies').mockResolvedValue({ items: [item] })
    vi.spyOn(api, 'policyFilters').mockResolvedValue({ ...filters, count: 1 })
    const { wrapper } = await open(PolicyList, false, {}, '/policies?window=closing&industry=C')
    expect(load).toHaveBeenLastCalledWith({ ...none, q: '', window: 'closing', industry: 'C' }, undefined)
    expect(wrapper.text()).toContain('共 1 项政策 · 即将截止 · 制造业')
    expect(wrapper.text()).toContain('更多（1）')
    expect(wrapper.text()).toContain('清除条件')
  })
  it('shows the figures of the own company, and goes on without them', async () => {
    vi.spyOn(api, 'listPolicies').mockResolvedValue({ items: [item] })
    vi.spyOn(api, 'matchSummary')
      .mockResolvedValueOnce({ eligible: 2, possible: 1, nearly: 3 })
      .mockRejectedValue(new ApiError('internal'))
    vi.spyOn(api, 'policyFilters').mockRejectedValue(new ApiError('internal'))
    const first = await open(PolicyList, true)
    expect(first.wrapper.text()).toContain('符合 2 项，待确认 1 项，接近 3 项')
    first.wrapper.unmount()
    const { wrapper } = await open(PolicyList, true)
    expect(wrapper.text()).toContain('与本企业匹配的政策')
  })
})

describe('PolicyDetail', () => {
  it('shows a visitor what is asked, and markup as text', async () => {
    vi.spyOn(api, 'getPolicy').mockResolvedValue(policy)
    const match = vi.spyOn(api, 'matchPolicy')
    const { wrapper } = await open(PolicyDetail, false, { id: 3 })
    expect(wrapper.text()).toContain('<script>alert(1)</script>')
    expect(wrapper.text()).toContain('看看本企业是否符合')
    expect(match).not.toHaveBeenCalled()
  })
  it('judges for the own company', async () => {
    vi.spyOn(api, 'getPolicy').mockResolvedValue(policy)
    vi.spyOn(api, 'matchPolicy').mockResolvedValue({
      ...judged,
      at: result.at,
      on: result.on,
      enterprise: '禾谷坊',
      facts: [],
    })
    const { wrapper } = await open(PolicyDetail, true, { id: 3 })
    expect(wrapper.text()).toContain('与本企业的匹配')
    expect(wrapper.text()).toContain('只差一项：从业人员，还差 6 人')
    expect(wrapper.text()).not.toContain('看看本企业是否符合')
  })
  it('subscribes with one key for one wish', async () => {
    vi.spyOn(api, 'getPolicy').mockResolvedValue(policy)
    vi.spyOn(api, 'matchPolicy').mockRejectedValue(new ApiError('internal'))
    const followed = {
      kind: 'policy',
      kindName: '政策',
      value: '3',
      label: '',
      createdAt: '',
    } as api.Followed
    const list = vi.spyOn(api, 'following').mockResolvedValue([])
    const send = vi
      .spyOn(api, 'followPolicies')
      .mockRejectedValueOnce(new ApiError('network'))
      .mockResolvedValue({ items: [followed] })
    const { wrapper } = await open(PolicyDetail, true, { id: 3 })
    const press = async () => {
      await wrapper
        .findAll('button')
        .find((button) => ['订阅', '取消订阅'].includes(button.text()))!
        .trigger('click')
      await flushPromises()
    }
    await press()
    list.mockResolvedValue([followed])
    await press()
    expect(send.mock.calls[0]).toEqual(send.mock.calls[1])
    await press()
    expect(send.mock.calls[2]?.slice(0, 3)).toEqual(['policy', '3', true])
    expect(send.mock.calls[2]?.[3]).not.toBe(send.mock.calls[1]?.[3])
  })
  it('says that a withdrawn policy was not found', async () => {
    vi.spyOn(api, 'getPolicy').mockRejectedValue(new ApiError('not_found'))
    const { wrapper } = await open(PolicyDetail, false, { id: 9 })
    expect(wrapper.text()).toContain('没有找到')
  })
})

describe('PolicyMatch', () => {
  it('opens on the best group that holds something and names what is missing', async () => {
    vi.spyOn(api, 'matchPolicies').mockResolvedValue(result)
    const { wrapper } = await open(PolicyMatch, true)
    expect(wrapper.text()).toContain('接近 1')
    expect(wrapper.text()).not.toContain('符合 0')
    expect(wrapper.text()).toContain('还需要：资质（主管部门）')
    expect(wrapper.text()).toContain('关系到 2 项政策')
    expect(wrapper.text()).toContain('为禾谷坊判定')
  })
  it('says once what is missing of a policy that may fit', async () => {
    const possible: api.Judged = { ...judged, group: 'possible', summary: '还需确认 1 项信息：资质' }
    vi.spyOn(api, 'matchPolicies').mockResolvedValue({
      ...result,
      groups: [{ group: 'possible', word: '待确认', note: '', count: 1, items: [possible] }],
    })
    const { wrapper } = await open(PolicyMatch, true)
    expect(wrapper.text()).toContain('还需要：资质（主管部门）')
    expect(wrapper.text()).not.toContain('还需确认')
  })
  it('asks a visitor for a few answers, marks the wrong one, then shows the result', async () => {
    vi.spyOn(api, 'quickChoices').mockResolvedValue({
      sections: [],
      regions: [{ code: '110112', name: '通州区' }],
    })
    const send = vi
      .spyOn(api, 'quickMatch')
      .mockRejectedValueOnce(new ApiError('invalid', { fields: { employees: '从业人员应为整数' } }))
      .mockResolvedValue({ ...result, enterprise: undefined })
    const { wrapper } = await open(PolicyMatch, false)
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(wrapper.text()).toContain('请至少填写一项')
    expect(send).not.toHaveBeenCalled()
    await wrapper.get('input[name="employees"]').setValue('14')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(wrapper.text()).toContain('从业人员应为整数')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(wrapper.text()).toContain('烘焙小店措施')
    expect(send).toHaveBeenLastCalledWith({
      q: '',
      industry: '',
      region: '',
      years: '',
      employees: '14',
      revenue: '',
    })
  })
})
