import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { useSession } from '@/stores/session'
import * as api from './api'
import { checkKnowledge, emptyKnowledge, textOf, valuesOf } from './checks'
import KnowledgeActions from './KnowledgeActions.vue'
import KnowledgeSearch from './KnowledgeSearch.vue'
import KnowledgeSheet from './KnowledgeSheet.vue'
import { matterOptions, reasonTitle, standingOf, todoText, validText, workText } from './labels'

beforeEach(() => {
  setActivePinia(createPinia())
  vi.spyOn(useSession(), 'can').mockReturnValue(true)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const found = (id: number, plain: string): api.Found => ({
  id,
  title: `条目${id}`,
  marks: [{ text: '条目' }, { text: String(id), hit: true }],
  question: '怎么办？',
  excerpt: [{ text: plain }],
  plain,
  categoryName: '证照办理',
  audience: 'public',
  source: { kind: 'law', title: '条例', number: '第三条' },
  unitName: '',
  uses: 3,
  edition: 1,
  validUntil: '',
})

const edition = (no: number, answer: string): api.Edition => ({
  no,
  state: 'live',
  title: '标题',
  question: '问题',
  answer,
  blocks: [],
  category: '030101',
  categoryName: '登记注册咨询',
  keywords: ['登记'],
  audience: 'staff',
  units: [{ id: 10, name: '区市场监管局' }],
  validFrom: '',
  validUntil: '2027-01-01',
  source: { kind: 'policy', title: '办法', number: '1号' },
  change: '',
  authorName: '李敏',
  reviewerName: '',
  createdAt: '2026-11-22T06:05:00Z',
})

const entry = (more: Partial<api.Knowledge> = {}): api.Knowledge => ({
  id: 5,
  version: 3,
  title: '标题',
  question: '问题',
  category: '030101',
  categoryName: '登记注册咨询',
  audience: 'staff',
  status: 'review',
  live: 1,
  over: false,
  coming: false,
  keywords: [],
  validFrom: '',
  validUntil: '2027-01-01',
  source: { kind: 'policy', title: '办法', number: '1号' },
  ownerName: '李敏',
  unitId: 10,
  unitName: '区市场监管局',
  uses: 0,
  useful: 0,
  openReports: 0,
  updatedAt: '2026-11-22T06:05:00Z',
  shown: edition(1, '旧答复'),
  work: edition(2, '新答复'),
  reason: '',
  editions: [],
  reports: [],
  timeline: [],
  actions: ['publish', 'return'],
  ownWork: false,
  mine: true,
  ...more,
})

describe('the search beside an answer', () => {
  const open = async (props: { ticketId: number; type?: string }) => {
    vi.useFakeTimers()
    const wrapper = mount(KnowledgeSearch, { props, attachTo: document.body })
    await vi.advanceTimersByTimeAsync(0)
    return wrapper
  }

  it('asks once, a moment after the last key, with the type of the ticket', async () => {
    const find = vi.spyOn(api, 'findKnowledge').mockResolvedValue([])
    const wrapper = await open({ ticketId: 7, type: '030101' })
    expect(find).toHaveBeenCalledTimes(1)
    expect(find.mock.calls[0]!.slice(0, 2)).toEqual(['', '030101'])
    const box = wrapper.get('input')
    await box.setValue('许')
    await vi.advanceTimersByTimeAsync(400)
    expect(wrapper.text()).toContain('至少输入两个字')
    await box.setValue('许可')
    await vi.advanceTimersByTimeAsync(100)
    await box.setValue('许可证')
    await vi.advanceTimersByTimeAsync(400)
    expect(find.mock.calls.map((c) => c[0])).toEqual(['', '许可证'])
    expect(wrapper.text()).toContain('没有找到')
    wrapper.unmount()
  })

  it('puts the chosen answer in with the keyboard alone, and counts it', async () => {
    vi.spyOn(api, 'findKnowledge').mockResolvedValue([found(1, '甲'), found(2, '乙'), found(3, '丙')])
    const use = vi.spyOn(api, 'noteUse').mockRejectedValue(new Error('offline'))
    const wrapper = await open({ ticketId: 7 })
    await flushPromises()
    const box = wrapper.get('input')
    await box.trigger('keydown', { key: 'ArrowDown' })
    await box.trigger('keydown', { key: 'ArrowUp' })
    await box.trigger('keydown', { key: 'ArrowUp' })
    await box.trigger('keydown', { key: 'ArrowUp' })
    expect(wrapper.get('[aria-selected="true"]').text()).toContain('条目2')
    await box.trigger('keydown', { key: 'Enter' })
    expect(wrapper.emitted('insert')).toEqual([['乙']])
    expect(use).toHaveBeenCalledWith(2, 7)
    wrapper.unmount()
  })

  it('is not there for whoever may not read it', () => {
    vi.spyOn(useSession(), 'can').mockReturnValue(false)
    vi.spyOn(api, 'findKnowledge').mockResolvedValue([])
    expect(
      mount(KnowledgeSearch, { props: { ticketId: 7 } })
        .find('input')
        .exists(),
    ).toBe(false)
  })
})

describe('the form', () => {
  it('says what is missing', () => {
    expect(Object.keys(checkKnowledge(emptyKnowledge()))).toEqual([
      'title',
      'question',
      'answer',
      'sourceTitle',
      'sourceNumber',
    ])
    const values = { ...valuesOf(entry()), audience: 'units' as const, unitIds: [], validFrom: '2027-02-01' }
    expect(Object.keys(checkKnowledge(values))).toEqual(['unitIds', 'validUntil'])
  })

  it('edits what is being written, not what is in force', () => {
    expect(valuesOf(entry()).answer).toBe('新答复')
    expect(valuesOf(entry({ work: undefined })).answer).toBe('旧答复')
    expect(textOf(valuesOf(entry()))).toMatchObject({ unitIds: [10], validFrom: undefined, validUntil: '2027-01-01' })
  })
})

it('calls an entry by where it stands in time', () => {
  expect(standingOf({ status: 'published', live: 1, over: true, coming: false })).toBe('over')
  expect(standingOf({ status: 'published', live: 1, over: false, coming: true })).toBe('coming')
  expect(standingOf({ status: 'draft', live: 0, over: false, coming: false })).toBe('draft')
  expect(standingOf({ status: 'withdrawn', live: 0, over: false, coming: false })).toBe('withdrawn')
  // What is in force is said to be so while a new edition is written beside it.
  expect(standingOf({ status: 'draft', live: 1, over: false, coming: false })).toBe('revising')
  expect(standingOf({ status: 'review', live: 1, over: false, coming: false })).toBe('checking')
  expect(standingOf({ status: 'draft', live: 1, over: true, coming: false })).toBe('over')
  expect(
    todoText({ kind: 'over', id: 1, title: '', text: '2026-11-01', who: '', at: '2026-11-22T06:05:00Z' }),
  ).toContain('已到期')
  expect(
    matterOptions([
      { code: '030000', name: '审批' },
      { code: '030101', name: '登记' },
    ]).map((m) => m.depth),
  ).toEqual([0, 2])
})

it('offers the steps of the state and a word on the answer', async () => {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/', component: { template: '<i/>' } }],
  })
  const steps = { take: vi.fn(), takeBack: vi.fn(), renew: vi.fn() }
  const wrapper = mount(KnowledgeActions, {
    props: { entry: entry(), busy: false, steps },
    global: { plugins: [router] },
  })
  const words = () => wrapper.findAll('button').map((b) => b.text())
  expect(words()).toEqual(['审核发布', '退回修改', '有用', '反馈有误'])
  await wrapper.setProps({ entry: entry({ status: 'draft', live: 0, actions: ['edit', 'submit'] }) })
  expect(words()).toEqual(['提交审核', '修改'])
})

describe('an entry on its sheet', () => {
  const sheet = (more: Partial<api.Knowledge>) =>
    mount(KnowledgeSheet, { props: { entry: entry(more) }, global: { stubs: { teleport: true } } })

  it('shows the new edition to whoever decides on it, and the one in force to others', () => {
    const chosen = (w: ReturnType<typeof sheet>) => w.get('.which .is-active').text()
    expect(chosen(sheet({}))).toBe('待审核：第 2 版')
    expect(chosen(sheet({ actions: [] }))).toBe('现行：第 1 版')
  })

  it('says how far the new edition is and why the last one came back', () => {
    expect(workText({ status: 'draft', reason: '' })).toBe('修订中')
    expect(workText({ status: 'draft', reason: '请补充文号' })).toBe('已退回')
    const moment = (kind: string) => ({ kind, label: '', actor: '', at: '2026-11-22T06:05:00Z', text: '', edition: 1 })
    expect(reasonTitle({ status: 'draft', timeline: [moment('knowledge.returned')] })).toBe('退回原因')
    expect(
      reasonTitle({ status: 'draft', timeline: [moment('knowledge.returned'), moment('knowledge.withdrawn')] }),
    ).toBe('撤下原因')
  })

  it('writes days as they are read', () => {
    expect(validText({ validFrom: '', validUntil: '2027-12-31' })).toBe('发布之日至2027年12月31日')
    expect(validText({ validFrom: '2026-01-05', validUntil: '' })).toBe('2026年1月5日起长期有效')
  })
})
