import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Component } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { ApiError } from '@/api/client'
import { useSession } from '@/stores/session'
import { handlingOf, notes, reasonOf, verbOf, verbs, type Handling } from './actions'
import * as extraApi from '@/features/extra/api'
import * as api from './api'
import ApplicationActions from './ApplicationActions.vue'
import ApplicationList from './ApplicationList.vue'
import ApplicationPage from './ApplicationPage.vue'
import ApproveDialog from './ApproveDialog.vue'
import BatchActions from './BatchActions.vue'
import DisburseDialog from './DisburseDialog.vue'
import DiligenceDialog from './DiligenceDialog.vue'
import HandOverDialog from './HandOverDialog.vue'
import { fenOf } from './figures'
import { grantText } from './labels'
import PlanDialog from './PlanDialog.vue'
import WaitingCard from './WaitingCard.vue'

const item: api.ApplicationItem = {
  id: 3,
  number: 'SQ20261124-000003',
  version: 4,
  status: 'submitted',
  productId: 500,
  productName: '烘焙贷',
  edition: 1,
  kind: 'financing',
  kindName: '融资服务',
  lends: true,
  institutionId: 30,
  institutionName: '运河银行',
  enterpriseId: 70,
  enterpriseName: '麦香面包房',
  amount: 50_000_000,
  term: 12,
  handlerName: '',
  submittedAt: '2026-11-24T01:30:00Z',
  dueAt: '2026-11-26T01:30:00Z',
  dueFor: 'accept',
  held: false,
  overdue: false,
}

const application: api.Application = {
  ...item,
  purpose: '<script>alert(1)</script>',
  extra: [],
  collateral: '',
  materials: ['近六个月流水'],
  hints: [{ kind: '', for: 'handler', step: 'accept', text: '受理前先核对材料', version: 1 }],
  paperFiles: [],
  unanswered: [],
  source: 'h5',
  contactName: '王芳',
  phone: '138****8000',
  telephoneOpens: true,
  reason: '',
  approvedAmount: 0,
  approvedRate: 0,
  approvedTerm: 0,
  disbursedAmount: 0,
  payments: [],
  next: '',
  institutionPhone: '',
  hotline: '',
  timeline: [
    { seq: 1, kind: 'application.submitted', label: '提交申请', at: '2026-11-24T01:30:00Z', actor: '王芳' },
    {
      seq: 2,
      kind: 'application.progressed',
      label: '办理进展',
      at: '2026-11-24T03:00:00Z',
      text: '走访',
      fileIds: [9],
    },
  ],
  files: [
    { id: 8, name: '流水.pdf', size: 10, mime: 'application/pdf', url: '/api/files/8', state: 'available' },
    { id: 9, name: '走访记录.pdf', size: 10, mime: 'application/pdf', url: '/api/files/9', state: 'available' },
  ],
  actions: ['accept', 'ask-supplement', 'decline', 'hand-over'],
}

async function open(
  component: Component,
  props: Record<string, unknown> = {},
  permissions: string[] = [],
  at = '/applications/3',
) {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/applications', name: 'applications', component: page },
      { path: '/applications/:id(\\d+)', name: 'application', component: page },
    ],
  })
  await router.push(at)
  const pinia = createPinia()
  useSession(pinia).set({ signedIn: true, csrfToken: '', permissions } as never)
  const wrapper = mount(component, { props, global: { plugins: [router, pinia] }, attachTo: document.body })
  await flushPromises()
  return { wrapper, router }
}

function press(text: string): void {
  const found = Array.from(document.querySelectorAll('button')).filter((b) => b.textContent?.trim() === text)
  expect(found.length, text).toBeGreaterThan(0)
  found.at(-1)!.click()
}

async function type(label: string, value: string): Promise<void> {
  const input = document.querySelector<HTMLInputElement>(`[aria-label="${label}"]`)!
  input.value = value
  input.dispatchEvent(new Event('input'))
  input.dispatchEvent(new Event('change'))
  await flushPromises()
}

beforeEach(() => {
  vi.spyOn(extraApi, 'listDefinitions').mockResolvedValue([])
  document.body.innerHTML = ''
  localStorage.clear()
})
afterEach(() => {
  vi.restoreAllMocks()
})

describe('actions', () => {
  it('has one dialog for every button', () => {
    const own: Handling[] = ['approve', 'decline', 'diligence', 'disburse', 'hand-over', 'plan', 'plan-step']
    for (const action of Object.keys(verbs) as Handling[]) {
      const dialogs = [own.includes(action), reasonOf(action) !== undefined, action in notes]
      expect(dialogs.filter(Boolean), action).toHaveLength(1)
    }
  })
  it('shows what may be done in a fixed order, without the steps of the company', () => {
    const actions: api.ApplicationAction[] = ['withdraw', 'decline', 'supplement', 'accept']
    expect(handlingOf({ ...application, actions })).toEqual(['accept', 'decline'])
  })
  it('names a refusal by when it is spoken', () => {
    expect([verbOf('decline', 'submitted'), verbOf('decline', 'in_progress')]).toEqual(['不予受理', '不予通过'])
  })
  it('counts in fen', () => {
    expect([fenOf(12.5), fenOf(0.1), fenOf(40)]).toEqual([12_500_000, 100_000, 40_000_000])
    const granted = { ...application, approvedAmount: 40_000_000, approvedRate: 385, approvedTerm: 12 }
    expect(grantText(granted)).toBe('40 万元，年利率 3.85%，期限 12 个月')
    expect(grantText({ ...granted, approvedRate: 0 })).toBe('40 万元，期限 12 个月')
    expect(grantText(application)).toBe('')
  })
})

describe('ApplicationPage', () => {
  it('shows the application with markup as text, and opens the number only when asked', async () => {
    vi.spyOn(api, 'getApplication').mockResolvedValue(application)
    const phone = vi.spyOn(api, 'openTelephone').mockResolvedValue('13800138000')
    const { wrapper } = await open(ApplicationPage)
    for (const part of [
      'SQ20261124-000003',
      '待受理',
      '50 万元',
      '138****8000',
      '<script>',
      '流水.pdf',
      '走访记录.pdf',
      '近六个月流水',
    ]) {
      expect(wrapper.text()).toContain(part)
    }
    expect(phone).not.toHaveBeenCalled()
    press('查看号码')
    await flushPromises()
    expect(wrapper.get('a[href="tel:13800138000"]').text()).toBe('13800138000')
    expect(phone).toHaveBeenCalledTimes(1)
  })
  it('offers no number and no action to those who only read', async () => {
    vi.spyOn(api, 'getApplication').mockResolvedValue({ ...application, telephoneOpens: false, actions: [] })
    const { wrapper } = await open(ApplicationPage)
    expect(wrapper.text()).not.toContain('查看号码')
    expect(wrapper.findAll('button')).toHaveLength(0)
  })
  it('says that a foreign application was not found', async () => {
    vi.spyOn(api, 'getApplication').mockRejectedValue(
      new ApiError({ status: 404, code: 'NOT_FOUND', message: '没有找到' }),
    )
    const { wrapper } = await open(ApplicationPage)
    expect(wrapper.text()).toContain('没有找到')
  })
})

describe('ApplicationActions', () => {
  it('accepts with an optional note', async () => {
    const take = vi.fn().mockResolvedValue(true)
    const { wrapper } = await open(ApplicationActions, { application, busy: false, take })
    press('受理')
    await vi.waitFor(() => expect(document.querySelector('[role=note]')?.textContent).toContain('受理前先核对材料'))
    await flushPromises()
    press('受理')
    await flushPromises()
    expect(take).toHaveBeenCalledWith('accept', { note: '' }, '已受理')
    expect(wrapper.emitted('taken')).toHaveLength(1)
  })
  it('keeps the dialog open when the server refused, and needs a ready reason', async () => {
    vi.spyOn(api, 'listDeclineReasons').mockResolvedValue([
      { code: 'debt', text: '当前负债或经营状况暂不能满足产品要求', words: false, sort: 1, retired: false },
      { code: 'other', text: '其他原因', words: true, sort: 2, retired: false },
    ])
    const take = vi.fn().mockResolvedValue(false)
    const { wrapper } = await open(ApplicationActions, { application, busy: false, take })
    press('不予受理')
    await flushPromises()
    press('不予受理')
    await flushPromises()
    expect(take).not.toHaveBeenCalled()
    await vi.waitFor(() => expect(document.body.textContent).toContain('请选择原因'))
    document.querySelector<HTMLInputElement>('input[type=checkbox][value=debt]')!.click()
    await flushPromises()
    press('不予受理')
    await flushPromises()
    expect(take).toHaveBeenCalledWith('decline', { codes: ['debt'], reason: '' }, '已登记，企业会看到原因')
    expect(wrapper.emitted('taken')).toBeUndefined()
  })
})

describe('figures of a loan', () => {
  it('are needed to approve and go out in fen and basis points', async () => {
    const { wrapper } = await open(ApproveDialog, { amount: 50_000_000, term: 12, busy: false })
    press('登记审批结果')
    await flushPromises()
    expect(wrapper.emitted('confirm')).toBeUndefined()
    await type('年利率，百分数', '3.85')
    await type('审批金额，万元', '40.5')
    press('登记审批结果')
    expect(wrapper.emitted('confirm')).toEqual([[{ amount: 40_500_000, rate: 385, term: 12, note: '' }]])
  })
  it('are paid out up to what was granted', async () => {
    const { wrapper } = await open(DisburseDialog, { approved: 40_000_000, busy: false })
    await type('放款金额，万元', '40.01')
    press('登记放款')
    await flushPromises()
    expect(wrapper.emitted('confirm')).toBeUndefined()
    await vi.waitFor(() => expect(document.body.textContent).toContain('不能超过尚未放款的 40 万元'))
    await type('放款金额，万元', '40')
    press('登记放款')
    expect(wrapper.emitted('confirm')).toEqual([
      [{ amount: 40_000_000, paidOn: expect.any(String) as string, note: '' }],
    ])
  })
})

describe('PlanDialog', () => {
  it('needs steps in the order of their days, and sends only those still to be done', async () => {
    const plan = {
      edition: 1,
      steps: [
        { title: '整理凭证', deliverable: '', day: '2026-11-20', doneAt: '2026-11-20T02:00:00Z' },
        { title: '完成申报', deliverable: '回执', day: '2026-12-15' },
      ],
    }
    const { wrapper } = await open(PlanDialog, { plan, busy: false })
    expect(document.body.textContent).toContain('已完成的 1 步保留不变')
    press('添加步骤')
    await flushPromises()
    press('保存调整')
    await vi.waitFor(() => expect(document.body.textContent).toContain('请填写第 2 步的内容'))
    expect(wrapper.emitted('confirm')).toBeUndefined()
    document.querySelector<HTMLButtonElement>('[aria-label="删去第 2 步"]')!.click()
    await flushPromises()
    press('保存调整')
    expect(wrapper.emitted('confirm')).toEqual([
      [{ note: '', steps: [{ title: '完成申报', deliverable: '回执', day: '2026-12-15' }] }],
    ])
  })
})

describe('DiligenceDialog', () => {
  it('needs findings and says who reads them', async () => {
    const { wrapper } = await open(DiligenceDialog, { busy: false })
    expect(document.body.textContent).toContain('只有本机构可以查看')
    await type('调查人员', '赵强、钱丽')
    press('登记尽职调查')
    await vi.waitFor(() => expect(document.body.textContent).toContain('请填写调查情况'))
    await type('调查情况', '账目与申报一致')
    press('登记尽职调查')
    expect(wrapper.emitted('confirm')?.[0]).toEqual([
      expect.objectContaining({ way: 'on_site', people: '赵强、钱丽', findings: '账目与申报一致', fileIds: [] }),
    ])
  })
})

describe('HandOverDialog', () => {
  it('says when there is nobody to hand over to', async () => {
    vi.spyOn(api, 'listColleagues').mockResolvedValue([{ id: 60, name: '赵强' }])
    await open(HandOverDialog, { handlerId: 60, busy: false })
    expect(document.body.textContent).toContain('没有其他可以转交的同事')
  })
})

describe('BatchActions', () => {
  it('looks first, sends only what can be done, and lists what became of each', async () => {
    const other = { ...item, id: 5, number: 'SQ20261124-000005' }
    const done = { ...item, id: 6, number: 'SQ20261124-000006', status: 'completed' as const }
    const look = vi.spyOn(api, 'previewAll').mockResolvedValue([
      { id: 3, ok: true },
      { id: 5, ok: true },
      { id: 6, ok: false, message: '申请当前为“已办结”' },
    ])
    const accept = vi.spyOn(api, 'acceptAll').mockResolvedValue([
      { id: 3, ok: true },
      { id: 5, ok: false, message: '申请已更新：王芳撤回' },
    ])
    const { wrapper } = await open(BatchActions, { selected: [item, other, done] })
    press('批量受理')
    await vi.waitFor(() => expect(document.body.textContent).toContain('3 件中 2 件可以办理'))
    expect(document.body.textContent).toContain('申请当前为“已办结”')
    expect(look).toHaveBeenCalledWith([item, other, done], 'accept')
    expect(accept).not.toHaveBeenCalled()
    press('办理可以办理的 2 件')
    await vi.waitFor(() => expect(accept).toHaveBeenCalledWith([item, other], expect.any(String)))
    await vi.waitFor(() => expect(document.body.textContent).toContain('办成 1 件，没有办成 2 件'))
    expect(document.body.textContent).toContain('王芳撤回')
    expect(wrapper.emitted('done')).toBeUndefined()
    press('完成')
    await flushPromises()
    expect(wrapper.emitted('done')).toHaveLength(1)
  })
})

describe('ApplicationList', () => {
  it('asks for what the address says; only those who handle may choose rows', async () => {
    const load = vi.spyOn(api, 'listApplications').mockResolvedValue({ items: [item] })
    const at = '/applications?scope=overdue&status=accepted'
    const { wrapper } = await open(ApplicationList, {}, ['application.view', 'application.handle'], at)
    expect(load).toHaveBeenCalledWith(
      {
        status: ['accepted'],
        waiting: false,
        overdue: true,
        soon: false,
        mine: false,
        q: '',
        kind: '',
        extra: '',
        cursor: undefined,
        limit: 20,
      },
      expect.anything(),
    )
    await vi.waitFor(() => expect(wrapper.text()).toContain('SQ20261124-000003'))
    expect(wrapper.find('.el-checkbox').exists()).toBe(true)
    const reader = await open(ApplicationList, {}, ['application.view'], '/applications')
    await vi.waitFor(() => expect(reader.wrapper.text()).toContain('运河银行'))
    expect(reader.wrapper.find('.el-table .el-checkbox').exists()).toBe(false)
  })
})

describe('WaitingCard', () => {
  it('lists what waits as the server orders it', async () => {
    const load = vi.spyOn(api, 'listApplications').mockResolvedValue({ items: [item] })
    const { wrapper } = await open(WaitingCard)
    expect(load).toHaveBeenCalledWith({ waiting: true, limit: 8 }, expect.anything())
    expect(wrapper.text()).toContain('烘焙贷 · 麦香面包房')
  })
  it('says when nothing waits', async () => {
    vi.spyOn(api, 'listApplications').mockResolvedValue({ items: [] })
    const { wrapper } = await open(WaitingCard)
    expect(wrapper.text()).toContain('没有待受理的申请')
  })
})
