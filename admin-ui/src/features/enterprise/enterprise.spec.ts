import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { ApiError } from '@/api/client'
import * as api from './api'
import DisputeList from './DisputeList.vue'
import EnterpriseList from './EnterpriseList.vue'
import ExtraFilter from '@/features/extra/ExtraFilter.vue'
import { conditionText, conditionsOf, linesOf } from '@/features/extra/words'
import type { Extra, ExtraField } from './extra'
import * as extraApi from './extra'
import * as tagApi from './tags'
import ExtraBlock from './ExtraBlock.vue'
import EnterpriseSheet from './EnterpriseSheet.vue'
import { answerText, outcomeTone } from './labels'
import ReviewCard from './ReviewCard.vue'
import ReviewList from './ReviewList.vue'
import ReviewPanel from './ReviewPanel.vue'

const review: api.Attempt = {
  id: 3,
  enterpriseId: 1,
  enterpriseName: '麦香',
  verification: 'pending',
  kind: 'review',
  outcome: 'waiting',
  title: '等待人工审核',
  text: '',
  problems: [],
  canReview: false,
  name: '<b>麦香</b>烘焙有限公司',
  creditCode: '91990000MADM000015',
  legalPerson: '王丽',
  note: '',
  reason: '',
  version: 1,
  askedAt: '2026-11-22T01:30:00Z',
  userName: '王芳',
  files: [{ id: 9, name: '营业执照.png', size: 10, mime: 'image/png', url: '/api/files/9', state: 'available' }],
}

async function open(component: typeof ReviewPanel, props: object = {}, at = '/') {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/', name: 'home', component: page },
      { path: '/enterprises', name: 'enterprises', component: page },
      { path: '/enterprises/:id', name: 'enterprise', component: page },
      { path: '/enterprise-reviews', name: 'enterprise-reviews', component: page },
      { path: '/enterprise-joins', name: 'enterprise-joins', component: page },
    ],
  })
  await router.push(at)
  const wrapper = mount(component, {
    props: props as { id: string },
    global: { plugins: [router, createPinia()] },
    attachTo: document.body,
  })
  await flushPromises()
  return { wrapper, router }
}
const button = (text: string) =>
  Array.from(document.querySelectorAll('button')).find((b) => b.textContent?.trim() === text)!

beforeEach(() => {
  document.body.innerHTML = ''
  vi.spyOn(extraApi, 'listExtraFields').mockResolvedValue([])
  vi.spyOn(tagApi, 'listTags').mockResolvedValue([])
})
afterEach(() => vi.restoreAllMocks())

describe('labels', () => {
  it('tell the registry’s codes in words', () => {
    expect(answerText('found=true name=true person=false status=存续')).toBe(
      '有登记，名称一致，法定代表人不一致，状态存续',
    )
    expect(answerText('found=false name=false person=false status=')).toBe('无登记信息')
    expect(answerText('timeout')).toBe('登记系统超时未答复')
    expect(answerText('')).toBe('')
    expect(outcomeTone('something new')).toBe('warning')
  })
})

describe('EnterpriseList', () => {
  it('asks for what the address says', async () => {
    const row = {
      id: 5,
      name: '麦香烘焙有限公司',
      creditCode: '9199',
      verification: 'verified',
      formerNames: ['麦香旧号'],
    }
    const load = vi.spyOn(api, 'listEnterprises').mockResolvedValue({ items: [row as api.EnterpriseItem] })
    const { wrapper } = await open(
      EnterpriseList as unknown as typeof ReviewPanel,
      {},
      '/enterprises?q=烘焙&verification=verified',
    )
    expect(load).toHaveBeenCalledWith(
      { q: '烘焙', verification: 'verified', tag: '', extra: '', cursor: undefined, limit: 20 },
      expect.anything(),
    )
    await vi.waitFor(() => expect(wrapper.text()).toContain('麦香烘焙有限公司'))
    expect(wrapper.text()).toContain('已认证')
    expect(wrapper.text()).toContain('曾用名：麦香旧号')
  })
})

describe('EnterpriseSheet', () => {
  it('shows each fact with source and day, and what the registry said', async () => {
    const enterprise: api.Enterprise = {
      id: 1,
      name: '麦香',
      creditCode: '',
      legalPerson: '',
      verification: 'unverified',
      createdAt: '2026-11-22T01:30:00Z',
      facts: [
        {
          field: 'employees',
          label: '从业人员',
          group: '经营情况',
          text: '14 人',
          source: '企业填报',
          asOf: '2026-11-22T01:30:00Z',
          recordedAt: '2026-11-22T01:30:00Z',
        },
      ],
      history: [],
      formerNames: ['麦香旧号'],
      persons: [],
      names: [
        { name: '麦香', from: '2026-11-22T01:30:00Z', how: '人工审核营业执照', byName: '李敏' },
        {
          name: '麦香旧号',
          from: '2025-11-22T01:30:00Z',
          until: '2026-11-22T01:30:00Z',
          how: '登记系统核验一致',
        },
      ],
      attempts: [
        { ...review, kind: 'registry', outcome: 'unavailable', title: '登记系统暂时无法核验', answer: 'timeout' },
      ],
      members: [{ userId: 7, name: '王芳', phone: '138****0007', role: 'owner' }],
    }
    const { wrapper } = await open(EnterpriseSheet as unknown as typeof ReviewPanel, { enterprise })
    for (const words of [
      '14 人',
      '企业填报',
      '2026年11月22日',
      '138****0007',
      '登记系统超时未答复',
      '负责人',
      '曾用名',
      '登记系统核验一致',
      '李敏 审核',
    ]) {
      expect(wrapper.text()).toContain(words)
    }
  })
})

describe('ReviewList', () => {
  it('opens the review by the company’s name, the company by a second link', async () => {
    vi.spyOn(api, 'listReviews').mockResolvedValue({ items: [review] })
    vi.spyOn(api, 'getReview').mockResolvedValue(review)
    const { wrapper } = await open(ReviewList as unknown as typeof ReviewPanel, {}, '/enterprise-reviews')
    await vi.waitFor(() => expect(wrapper.text()).toContain(review.enterpriseName))
    const links = wrapper.findAll('a').map((a) => a.attributes('href'))
    expect(links).toContain('/enterprise-reviews?open=3')
    expect(links).toContain('/enterprises/1')
  })
})

describe('ReviewPanel', () => {
  it('shows the licence and passes once', async () => {
    vi.spyOn(api, 'getReview').mockResolvedValue(review)
    const pass = vi.spyOn(api, 'approve').mockResolvedValue({ ...review, outcome: 'approved' })
    const { wrapper } = await open(ReviewPanel, { id: '3' })
    expect(wrapper.get('img').attributes('src')).toBe('/api/files/9')
    expect(wrapper.text()).toContain('<b>麦香</b>烘焙有限公司')
    const click = button('通过认证')
    click.click()
    click.click()
    await flushPromises()
    expect(pass).toHaveBeenCalledOnce()
    expect(wrapper.emitted('decided')).toHaveLength(1)
  })

  it('tells a change with what was and what is to be', async () => {
    const changing: api.Attempt = {
      ...review,
      kind: 'change',
      verification: 'verified',
      changes: [
        { what: 'name', label: '企业名称', from: '麦香面包房', to: review.name },
        { what: 'legalPerson', label: '法定代表人', from: '', to: '李雷' },
      ],
    }
    vi.spyOn(api, 'getReview').mockResolvedValue(changing)
    const pass = vi.spyOn(api, 'approve').mockResolvedValue({ ...changing, outcome: 'approved' })
    const { wrapper } = await open(ReviewPanel, { id: '3' })
    for (const words of [
      '原企业名称',
      '麦香面包房',
      '新企业名称',
      '<b>麦香</b>烘焙有限公司',
      '原法定代表人未登记',
      '新法定代表人李雷',
    ]) {
      expect(wrapper.text()).toContain(words)
    }
    expect(button('通过认证')).toBeUndefined()
    button('通过变更登记').click()
    await flushPromises()
    expect(pass).toHaveBeenCalledOnce()
  })

  it('says why it came to a person', async () => {
    const load = vi.spyOn(api, 'getReview').mockResolvedValue({
      ...review,
      before: { title: '登记系统暂时无法核验', answer: 'timeout', at: '2026-11-22T01:30:00Z' },
    })
    const { wrapper } = await open(ReviewPanel, { id: '3' })
    expect(wrapper.text()).toContain('登记系统暂时无法核验（登记系统超时未答复）')
    load.mockResolvedValue(review)
    const direct = await open(ReviewPanel, { id: '3' })
    expect(direct.wrapper.text()).toContain('直接提交人工审核')
  })

  it('offers nothing when somebody decided', async () => {
    vi.spyOn(api, 'getReview').mockResolvedValue({
      ...review,
      outcome: 'returned',
      title: '人工审核退回',
      reason: '照片不清晰',
      reviewerName: '李敏',
    })
    const { wrapper } = await open(ReviewPanel, { id: '3' })
    expect(wrapper.text()).toContain('照片不清晰')
    expect(button('通过认证')).toBeUndefined()
  })

  it('says that a foreign one was not found', async () => {
    vi.spyOn(api, 'getReview').mockRejectedValue(new ApiError({ status: 404, code: 'NOT_FOUND', message: '没有找到' }))
    const { wrapper } = await open(ReviewPanel, { id: '99' })
    expect(wrapper.text()).toContain('没有找到')
  })
})

describe('ReviewCard', () => {
  it('lists what waits, and says when nothing does', async () => {
    const load = vi.spyOn(api, 'listReviews').mockResolvedValue({ items: [review] })
    const { wrapper } = await open(ReviewCard as unknown as typeof ReviewPanel)
    expect(wrapper.get('.hq-waiting a').attributes('href')).toBe('/enterprise-reviews?open=3')
    load.mockResolvedValue({ items: [] })
    const empty = await open(ReviewCard as unknown as typeof ReviewPanel)
    expect(empty.wrapper.text()).toContain('没有待审核的企业认证')
  })
})

describe('DisputeList', () => {
  it('opens the row of the address and refuses with a reason', async () => {
    const join = {
      id: 9,
      enterpriseId: 1,
      enterpriseName: '麦香',
      userName: '李雷',
      note: '我是法定代表人',
      version: 3,
      canDecide: true,
    }
    vi.spyOn(api, 'listDisputes').mockResolvedValue({ items: [join as api.Join] })
    const { wrapper } = await open(DisputeList as unknown as typeof ReviewPanel, {}, '/enterprise-joins?open=9')
    await flushPromises()
    await vi.waitFor(() => expect(wrapper.text()).toContain('我是法定代表人'))
    expect(button('同意加入')).toBeDefined()
    button('不同意').click()
    await flushPromises()
    expect(document.body.textContent).toContain('申请人会看到这段说明')
  })
})

describe('ExtraFilter', () => {
  const field = (key: string, label: string, kind: string, more = {}) =>
    ({ field: { key, label, kind, ...more }, group: 'service', sort: 1 }) as unknown as ExtraField
  const fields = [
    field('park', '所属园区', 'choice', { options: ['台湖园'] }),
    field('beds', '床位', 'number', { unit: '张' }),
    field('export', '有出口业务', 'yesno'),
    field('risk', '关注事项', 'text'),
  ]

  it('reads and writes the conditions of the address', () => {
    const lines = 'park:台湖园\nbeds:10..\nrisk:a:b'
    const list = conditionsOf(lines)
    expect(linesOf(list)).toBe(lines)
    expect(list.map((c) => conditionText(fields, c))).toEqual(['所属园区：台湖园', '床位：10 张起', '关注事项含“a:b”'])
    expect(conditionText(fields, { code: 'export', value: 'no' })).toBe('有出口业务：否')
    expect(conditionText(fields, { code: 'beds', value: '..20' })).toBe('床位：至 20 张')
    expect(conditionText(fields, { code: 'beds', value: '10..20' })).toBe('床位：10 至 20 张')
    expect(conditionsOf('')).toEqual([])
  })

  it('takes a condition away', async () => {
    const { wrapper } = await open(
      ExtraFilter as unknown as typeof ReviewPanel,
      {
        fields,
        modelValue: 'park:台湖园\nbeds:10..',
      } as never,
    )
    expect(wrapper.text()).toContain('所属园区：台湖园')
    await wrapper.findAll('.el-tag__close')[0]!.trigger('click')
    expect(wrapper.emitted('update:modelValue')).toEqual([['beds:10..']])
  })
})

describe('ExtraBlock', () => {
  const extra = {
    enterpriseId: 1,
    version: 4,
    mayFill: true,
    history: [{ label: '床位', text: '', source: '平台登记', byName: '周洁', at: '2026-11-22T01:30:00Z' }],
    withheld: '该企业未授权“企业画像”，不能查看企业数据。',
    items: [
      {
        field: { key: 'beds', label: '床位', kind: 'number', unit: '张' },
        group: 'service',
        groupName: '服务管理信息',
        values: ['9'],
        text: '9 张',
        source: '平台登记',
        byName: '周洁',
        at: '2026-11-22T01:30:00Z',
        mayFill: true,
        company: 'hidden',
      },
      {
        field: { key: 'note', label: '备注', kind: 'text' },
        group: 'service',
        groupName: '服务管理信息',
        values: [],
        text: '',
        mayFill: true,
        company: 'hidden',
      },
      {
        field: { key: 'export', label: '有出口业务', kind: 'yesno' },
        group: 'operation',
        groupName: '经营情况',
        values: [],
        text: '',
        mayFill: false,
        withheld: true,
        company: 'fills',
      },
    ],
  } as Extra

  it('shows what is filled, what is withheld, and sends only what changed', async () => {
    vi.spyOn(extraApi, 'getExtra').mockResolvedValue(extra)
    const save = vi.spyOn(extraApi, 'setExtra').mockResolvedValue({ ...extra, version: 5 })
    const { wrapper } = await open(ExtraBlock as unknown as typeof ReviewPanel, { id: 1 } as never)
    await flushPromises()
    expect(wrapper.text()).toContain('9 张')
    expect(wrapper.text()).toContain('企业未授权查看')
    button('查看填写记录（1 条）').click()
    await flushPromises()
    expect(wrapper.text()).toContain('床位：清空')
    button('填写').click()
    await flushPromises()
    expect(wrapper.text()).not.toContain('有出口业务')
    await wrapper.get('input[aria-label="备注"]').setValue('已走访')
    await wrapper.get('form.form').trigger('submit')
    await flushPromises()
    expect(save).toHaveBeenCalledWith(extra, { note: ['已走访'] }, undefined, expect.any(String))
  })
})
