import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ref } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { ApiError } from '@/api/client'
import { reasons, texts, verbs } from './actions'
import * as api from './api'
import { checkTicket } from './checks'
import * as clocks from './clocks'
import CloseDialog from './CloseDialog.vue'
import { asks, askFor, hopRows, waitsFor } from './steps'
import { outcomeText, stepTone, unitOptions } from './labels'
import TicketActions from './TicketActions.vue'
import DeclineDialog from './DeclineDialog.vue'
import FormFields from './FormFields.vue'
import TicketForm from './TicketForm.vue'
import TicketPage from './TicketPage.vue'
import WaitingCard from './WaitingCard.vue'
import ApprovalCard from './ApprovalCard.vue'

const ticket: api.Ticket = {
  id: 3,
  number: 'GD20261122-000003',
  version: 4,
  type: 'labour',
  typeName: '劳动用工',
  title: '用工补贴如何申请',
  urgency: 'urgent',
  status: 'replied',
  source: 'h5',
  requesterName: '王芳',
  enterpriseName: '某面包房',
  unitName: '区人社局',
  createdAt: '2026-11-22T01:30:00Z',
  dueAt: '2026-11-25T01:30:00Z',
  rating: 0,
  body: '<script>alert(1)</script>',
  fields: [{ key: 'loss', label: '损失', kind: 'number', value: '12.5 万元' }],
  phone: '13800138000',
  reply: '已说明',
  opinion: '',
  opinionTags: [],
  timeline: [
    { seq: 1, kind: 'ticket.opened', label: '提交诉求，受理', at: '2026-11-22T01:30:00Z', actor: '王芳' },
    {
      seq: 2,
      kind: 'ticket.called_back',
      label: '电话回访',
      at: '2026-11-22T03:00:00Z',
      text: '无人接听',
      outcome: { contacted: false, solved: false, satisfied: false },
    },
  ],
  hops: [
    {
      id: 1,
      fromName: '受理席',
      unitId: 10,
      unitName: '区人社局',
      lead: true,
      state: 'replied',
      sentAt: '2026-11-22T02:00:00Z',
      dueAt: '2026-11-25T01:30:00Z',
      note: '',
      parentId: 0,
      role: 'lead',
      round: 0,
      reply: '',
      actions: [],
    },
  ],
  requests: [],
  near: [],
  files: [{ id: 9, name: '申报指南.pdf', size: 10, mime: 'application/pdf', url: '/api/files/9', state: 'available' }],
  actions: ['callback', 'close', 'reopen'],
}

async function open(component: typeof TicketPage, props: Record<string, unknown> = {}, at = '/tickets/3') {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/tickets', name: 'tickets', component: page },
      { path: '/tickets/:id', name: 'ticket', component: page },
      { path: '/new', component: page },
    ],
  })
  await router.push(at)
  const wrapper = mount(component, { props, global: { plugins: [router, createPinia()] }, attachTo: document.body })
  await flushPromises()
  return { wrapper, router }
}

function press(text: string): void {
  const found = Array.from(document.querySelectorAll<HTMLElement>('button')).filter(
    (b) => b.textContent?.trim() === text,
  )
  expect(found.length, text).toBeGreaterThan(0)
  found.at(-1)!.click()
}

beforeEach(() => {
  document.body.innerHTML = ''
})
afterEach(() => {
  vi.restoreAllMocks()
})

beforeEach(() => {
  vi.spyOn(clocks, 'listClocks').mockResolvedValue([])
})

describe('labels', () => {
  it('says an outcome in words', () => {
    expect(outcomeText({ contacted: false, solved: true, satisfied: true })).toBe('未接通')
    expect(outcomeText({ contacted: true, solved: true, satisfied: false })).toBe('已接通，已解决，不满意')
  })
  it('shows a unit with its way down the tree', () => {
    const units = [
      { id: 10, name: '区人社局', levels: [1, 10, 0, 0] },
      { id: 100, name: '劳动监察大队', levels: [1, 10, 100, 0] },
    ]
    expect(unitOptions(units).map((o) => o.label)).toEqual(['区人社局', '区人社局 / 劳动监察大队'])
  })
  it('has a neutral tone for what it does not know', () => {
    expect(stepTone('ticket.linked')).toBe('neutral')
  })
  it('has a dialog or a direct step for every button', () => {
    const own = ['sign', 'dispatch', 'close', 'decline']
    for (const action of Object.keys(verbs)) {
      expect(own.includes(action) || action in reasons || action in texts || action in asks, action).toBe(true)
    }
  })
})

describe('checkTicket', () => {
  const good = {
    type: 'labour',
    urgency: '',
    title: '补贴',
    body: '如何申请',
    contactName: '张师傅',
    phone: '＋86 13900139000',
    enterpriseName: '',
    area: '',
    fields: {},
  }
  it('lets a complete request pass', () => expect(checkTicket(good)).toEqual({}))
  it.each(['type', 'title', 'body', 'contactName', 'phone'])('refuses an empty %s', (field) => {
    expect(Object.keys(checkTicket({ ...good, [field]: '' }))).toEqual([field])
  })
})

describe('TicketPage', () => {
  it('shows the ticket with markup as text and only the allowed actions', async () => {
    vi.spyOn(api, 'getTicket').mockResolvedValue(ticket)
    const { wrapper } = await open(TicketPage)
    for (const part of ['GD20261122-000003', '待回访', '紧急', '13800138000', '未接通', '申报指南.pdf', '<script>']) {
      expect(wrapper.text()).toContain(part)
    }
    expect(wrapper.text()).toContain('回访并办结')
    expect(wrapper.text()).not.toContain('作废')
  })
  it('says that a foreign ticket was not found', async () => {
    vi.spyOn(api, 'getTicket').mockRejectedValue(new ApiError({ status: 404, code: 'NOT_FOUND', message: '没有找到' }))
    const { wrapper } = await open(TicketPage)
    expect(wrapper.text()).toContain('没有找到')
  })
})

describe('TicketActions', () => {
  it('signs at once and tells that something was taken', async () => {
    const take = vi.fn().mockResolvedValue(true)
    const props = { ticket: { ...ticket, actions: ['sign'] }, busy: false, take }
    const { wrapper } = await open(TicketActions as unknown as typeof TicketPage, props)
    press('签收')
    await flushPromises()
    expect(take).toHaveBeenCalledWith('sign', {}, '已签收')
    expect(wrapper.emitted('taken')).toHaveLength(1)
  })
  it('keeps the dialog open when the server refused', async () => {
    const take = vi.fn().mockResolvedValue(false)
    const props = { ticket: { ...ticket, actions: ['void'] }, busy: false, take }
    const { wrapper } = await open(TicketActions as unknown as typeof TicketPage, props)
    press('作废')
    await flushPromises()
    press('重复登记')
    await flushPromises()
    press('作废工单')
    await flushPromises()
    expect(take).toHaveBeenCalledWith('void', { reason: '重复登记' }, '已作废')
    expect(wrapper.emitted('taken')).toBeUndefined()
    expect(document.body.textContent).toContain('只有督办人员可以撤销')
  })
})

describe('hops and requests', () => {
  const hop = ticket.hops[0]!
  it('shows who works for whom', () => {
    const hops = [
      { ...hop, state: 'signed' as const },
      { ...hop, id: 2, lead: false, role: 'co' as const, unitName: '区税务局' },
      { ...hop, id: 3, lead: false, parentId: 1, unitName: '劳动监察大队' },
      { ...hop, id: 4, lead: false, parentId: 3, role: 'task' as const, unitName: '一中队' },
    ]
    expect(hopRows(hops).map((row) => [row.unitName, row.depth])).toEqual([
      ['区人社局', 0],
      ['区税务局', 1],
      ['劳动监察大队', 1],
      ['一中队', 2],
    ])
  })
  it('sends a decision on a request with what it is about', async () => {
    const request: api.TicketRequest = {
      id: 9,
      hopId: 1,
      kind: 'extension',
      state: 'endorsed',
      stateName: '待审批',
      code: 'survey',
      codeName: '需要实地勘查',
      basis: '',
      text: '须勘查现场',
      days: 3,
      granted: 0,
      afterSigning: false,
      unitName: '区人社局',
      filedName: '赵强',
      filedAt: '2026-11-22T02:00:00Z',
      endorsedName: '钱科长',
      decidedName: '',
      note: '',
      actions: ['decide'],
    }
    vi.spyOn(api, 'getTicket').mockResolvedValue({
      ...ticket,
      status: 'signed',
      flags: ['extension'],
      requests: [request],
    })
    const act = vi.spyOn(api, 'act').mockResolvedValue(ticket)
    const { wrapper } = await open(TicketPage)
    expect(wrapper.text()).toContain('延期待审')
    press('审批')
    await flushPromises()
    const refuse = Array.from(document.querySelectorAll<HTMLInputElement>('input[type="radio"]'))[1]!
    refuse.click()
    await flushPromises()
    press('提交审批意见')
    await flushPromises()
    expect(act).not.toHaveBeenCalled()
    const note = document.querySelector('textarea')!
    note.value = '理由不足'
    note.dispatchEvent(new Event('input'))
    await flushPromises()
    press('提交审批意见')
    await flushPromises()
    expect(act).toHaveBeenCalledWith(
      expect.anything(),
      'decide',
      { grant: false, note: '理由不足', requestId: 9 },
      expect.anything(),
    )
  })
  it('begins a correction with what the ticket is about', () => {
    expect(askFor('classify', ticket)?.matter).toEqual({ type: 'labour', urgency: 'urgent' })
  })
  it('asks for a unit when the desk had answered itself', () => {
    expect(askFor('reopen', { ...ticket, unitName: '区人社局' })?.unit).toBe('optional')
    expect(askFor('reopen', { ...ticket, unitName: '' })?.unit).toBe('required')
  })
  it('tells the lead unit for whom it waits, and nobody else', () => {
    const hop = (over: Partial<api.Hop>) =>
      ({ ...ticket.hops[0]!, round: 0, lead: false, actions: [], ...over }) as api.Hop
    const lead = hop({ id: 1, lead: true, state: 'signed', role: 'lead', actions: ['forward'] })
    const co = hop({ id: 2, unitName: '区税务局', role: 'co', state: 'dispatched' })
    const at = (...hops: api.Hop[]) => waitsFor({ ...ticket, status: 'signed', hops })
    expect(at(lead, co)).toContain('区税务局的办理结果尚未反馈')
    expect(at(lead, { ...co, state: 'replied' })).toBe('')
    expect(at(lead, { ...co, role: 'task', state: 'replied' })).toContain('区税务局')
    expect(at({ ...lead, actions: [] }, co)).toBe('')
  })
  it('shows whoever decides what was asked', () => {
    const request = {
      kind: 'extension',
      unitName: '区人社局',
      days: 2,
      codeName: '需要实地勘查',
      text: '须到场。',
    } as api.TicketRequest
    expect(askFor('endorse', ticket, request)?.message).toBe(
      '区人社局申请延期 2 个工作日：需要实地勘查，须到场。同意后由派单的一级审批。',
    )
  })
  it('says before an undo what stays', () => {
    const undone = { ...ticket, undo: { seq: 2, label: '派单至区人社局', told: '已发出的短信不会收回。' } }
    expect(askFor('undo', undone)?.message).toBe('将撤销“派单至区人社局”。已发出的短信不会收回。')
  })
})

describe('CloseDialog', () => {
  it('needs a note when the call was not reached, and then sends it', async () => {
    const props = { direct: false, phone: '13800138000', ticketId: 1, busy: false }
    const { wrapper } = await open(CloseDialog as unknown as typeof TicketPage, props)
    const missed = Array.from(document.querySelectorAll<HTMLInputElement>('input[type="radio"]'))[1]!
    missed.click()
    await flushPromises()
    press('办结')
    await flushPromises()
    expect(wrapper.emitted('confirm')).toBeUndefined()
    await vi.waitFor(() => expect(document.body.textContent).toContain('请写明情况'))
    const note = document.querySelector('textarea')!
    note.value = '三次未接通'
    note.dispatchEvent(new Event('input'))
    await flushPromises()
    press('办结')
    expect(wrapper.emitted('confirm')).toEqual([
      [{ outcome: { contacted: false, solved: false, satisfied: false }, note: '三次未接通' }],
    ])
  })
})

describe('WaitingCard', () => {
  it('lists what waits by deadline', async () => {
    const later = { ...ticket, id: 4, title: '较晚到期', dueAt: '2026-12-01T00:00:00Z' }
    vi.spyOn(api, 'listTickets').mockResolvedValue({ items: [later, { ...ticket, title: '最先到期' }] })
    const { wrapper } = await open(WaitingCard as unknown as typeof TicketPage)
    expect(wrapper.text().indexOf('最先到期')).toBeLessThan(wrapper.text().indexOf('较晚到期'))
    expect(api.listTickets).toHaveBeenCalledWith({ waiting: true, limit: 50 }, expect.anything())
  })
  it('says when nothing waits', async () => {
    vi.spyOn(api, 'listTickets').mockResolvedValue({ items: [] })
    const { wrapper } = await open(WaitingCard as unknown as typeof TicketPage)
    expect(wrapper.text()).toContain('没有等您处理的工单')
  })
})

describe('ApprovalCard', () => {
  it('lists what waits for a word, with the kind and the way to all of it', async () => {
    const list = vi.spyOn(api, 'listTickets').mockResolvedValue({ items: [{ ...ticket, flags: ['extension'] }] })
    const { wrapper } = await open(ApprovalCard as unknown as typeof TicketPage)
    expect(list.mock.calls[0]![0]).toMatchObject({ flag: 'mine' })
    expect(wrapper.text()).toContain('延期待审')
    expect(wrapper.text()).toContain(ticket.title)
    expect(wrapper.html()).toContain('flag=mine')
  })
})

describe('TicketForm', () => {
  it('says at each field what is missing and sends nothing', async () => {
    vi.spyOn(api, 'listTicketTypes').mockResolvedValue([])
    const send = vi.spyOn(api, 'openTicket').mockResolvedValue(ticket)
    const { wrapper } = await open(TicketForm as unknown as typeof TicketPage, {}, '/new')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    await vi.waitFor(() => expect(wrapper.text()).toContain('请填写联系人'))
    expect(wrapper.text()).toContain('请选择诉求类型')
    expect(send).not.toHaveBeenCalled()
  })
  it('shows the fields of the type and what the server says about one', async () => {
    const values = ref<Record<string, string[]>>({ kind: ['停水'] })
    const fields: api.FormField[] = [
      { key: 'kind', label: '停供种类', kind: 'choices', options: ['停水', '停电'], required: true },
      { key: 'loss', label: '损失', kind: 'number', unit: '万元', min: 0, max: 10 },
    ]
    const wrapper = mount(FormFields, {
      props: {
        fields,
        modelValue: values.value,
        errors: { 'fields.loss': '损失应为数字' },
        'onUpdate:modelValue': (v: Record<string, string[]>) => (values.value = v),
      },
      global: { stubs: { ElFormItem: false } },
    })
    expect(wrapper.text()).toContain('万元')
    await wrapper.get('input[aria-label="损失"]').setValue('3')
    expect(values.value).toEqual({ kind: ['停水'], loss: ['3'] })
  })
})

describe('DeclineDialog', () => {
  it('proposes the legal route of the case and asks for both', async () => {
    vi.spyOn(api, 'listDeclineReasons').mockResolvedValue([
      { code: 'petition', name: '信访事项', route: '请到区信访办公室提出。', sort: 1, version: 1 },
      { code: 'old', name: '旧的', route: '无', sort: 2, version: 1, retired: true },
    ])
    const { wrapper } = await open(DeclineDialog as unknown as typeof TicketPage, { busy: false }, '/new')
    press('登记不予受理')
    await flushPromises()
    expect(wrapper.emitted('confirm')).toBeUndefined()
    const select = wrapper.findComponent({ name: 'ElSelect' })
    expect(select.findAllComponents({ name: 'ElOption' }).length).toBeLessThan(2)
    select.vm.$emit('update:modelValue', 'petition')
    select.vm.$emit('change', 'petition')
    await flushPromises()
    press('登记不予受理')
    await flushPromises()
    expect(wrapper.emitted('confirm')).toEqual([[{ code: 'petition', route: '请到区信访办公室提出。', reason: '' }]])
  })
})
