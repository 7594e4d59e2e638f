import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'

import { ApiError } from '@/api/error'

import * as api from './api'
import { checkTicket } from './checks'
import { ticketLook } from './labels'
import { filesOf, progressOf } from './progress'
import TicketDetail from './TicketDetail.vue'
import TicketForm from './TicketForm.vue'
import TicketList from './TicketList.vue'
import { loadHints } from './useHint'

const ticket: api.Ticket = {
  id: 3,
  number: 'GD20261122-000003',
  version: 6,
  type: 'labour',
  typeName: '劳动用工',
  title: '用工补贴如何申请',
  urgency: 'normal',
  status: 'closed',
  source: 'h5',
  requesterName: '王芳',
  enterpriseName: '某面包房',
  unitName: '区人社局',
  createdAt: '2026-11-22T01:30:00Z',
  dueAt: '2026-11-25T01:30:00Z',
  closedAt: '2026-11-23T01:30:00Z',
  rating: 0,
  body: '新招三人 <script>alert(1)</script>',
  fields: [{ key: 'loss', label: '损失', kind: 'number', value: '12.5 万元' }],
  phone: '138****8000',
  reply: '已说明',
  opinion: '',
  opinionTags: [],
  timeline: [
    { seq: 1, kind: 'ticket.opened', label: '提交诉求，受理', at: '2026-11-22T01:30:00Z', actor: '王芳' },
    {
      seq: 2,
      kind: 'ticket.replied',
      label: '区人社局反馈办理结果',
      at: '2026-11-22T03:00:00Z',
      text: '已说明',
      fileIds: [9],
    },
  ],
  files: [
    { id: 8, name: '门头照片.jpg', size: 10, mime: 'image/jpeg', url: '/api/files/8', state: 'available' },
    {
      id: 9,
      name: '申报指南.pdf',
      size: 10,
      mime: 'application/pdf',
      url: '/api/files/9',
      state: 'available',
    },
  ],
  hops: [],
  requests: [],
  near: [],
  actions: ['rate'],
}

async function open(component: typeof TicketForm | typeof TicketDetail | typeof TicketList, props = {}) {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/', component: page },
      { path: '/tickets/new', component: page },
      { path: '/tickets/:id', name: 'ticket', component: page },
    ],
  })
  await router.push('/')
  const wrapper = mount(component as typeof TicketForm, {
    props,
    global: { plugins: [router, createPinia()] },
    attachTo: document.body,
  })
  await flushPromises()
  return { wrapper, router }
}

beforeEach(() => {
  sessionStorage.clear()
  document.body.innerHTML = ''
})

const judgeForm: Awaited<ReturnType<typeof api.getJudgeForm>> = {
  question: '您对办理结果满意吗？',
  levels: [
    { level: 5, label: '非常满意', prompt: '哪些方面让您满意？', tags: ['办理及时', '态度好'], words: false },
    { level: 1, label: '非常不满意', prompt: '请说明不满意的地方', tags: ['推诿'], words: true },
  ],
}

describe('checkTicket', () => {
  const good = {
    type: 'labour',
    area: '',
    title: '补贴',
    body: '如何申请补贴',
    contactName: '王芳',
    phone: '',
    fields: {},
  }
  it('lets a complete request pass, with or without a phone', () => {
    expect(checkTicket(good)).toEqual({})
    expect(checkTicket({ ...good, phone: '0557-3022345' })).toEqual({})
  })
  it.each([
    ['type', { type: '' }],
    ['title', { title: ' ' }],
    ['title', { title: '长'.repeat(101) }],
    ['body', { body: '𠮷'.repeat(2001) }],
    ['contactName', { contactName: '名'.repeat(51) }],
    ['phone', { phone: '12345' }],
  ])('refuses a wrong %s alone', (field, change) => {
    expect(Object.keys(checkTicket({ ...good, ...change }))).toEqual([field])
  })
})

describe('progress', () => {
  it('is told newest first, files beside their step', () => {
    expect(progressOf(ticket).map((item) => item.key)).toEqual([2, 1])
    expect(filesOf(ticket, 2).map((file) => file.id)).toEqual([9])
    expect(filesOf(ticket).map((file) => file.id)).toEqual([8])
  })
  it('has a word for a state that is not known yet', () => {
    expect(ticketLook('closed').word).toBe('已办结')
    expect(ticketLook('received')).toEqual({ word: '待处理', tone: 'warning', icon: 'bell' })
    expect(ticketLook('unheard-of').word).toBe('处理中')
  })
})

describe('TicketList', () => {
  it('says what to do when there is none', async () => {
    vi.spyOn(api, 'listTickets').mockResolvedValue({ items: [] })
    const { wrapper } = await open(TicketList)
    expect(wrapper.text()).toContain('还没有提过诉求')
    expect(wrapper.text()).toContain('提诉求')
  })
  it('shows each ticket with its state and asks for the rating', async () => {
    vi.spyOn(api, 'listTickets').mockResolvedValue({ items: [ticket] })
    const { wrapper } = await open(TicketList)
    expect(wrapper.text()).toContain('已办结')
    expect(wrapper.text()).toContain('请为这次办理评价')
  })
})

describe('TicketForm', () => {
  it('keeps what is typed, says what is missing, sends once under one key', async () => {
    vi.spyOn(api, 'listTicketTypes').mockResolvedValue([
      {
        code: 'labour',
        name: '劳动用工',
        category: '0201',
        urgency: 'normal',
        hours: 72,
        sort: 1,
        version: 1,
      },
    ])
    vi.spyOn(api, 'listTicketAreas').mockResolvedValue([{ code: '110112104', name: '台湖镇' }])
    const send = vi
      .spyOn(api, 'openTicket')
      .mockRejectedValueOnce(new ApiError('network'))
      .mockResolvedValue(ticket)
    const first = await open(TicketForm)
    await first.wrapper.get('[name="title"]').setValue('用工补贴如何申请')
    await first.wrapper.get('form').trigger('submit')
    expect(first.wrapper.text()).toContain('请选择诉求类型')
    expect(send).not.toHaveBeenCalled()
    first.wrapper.unmount()

    const { wrapper, router } = await open(TicketForm)
    expect(wrapper.get<HTMLInputElement>('[name="title"]').element.value).toBe('用工补贴如何申请')
    await wrapper.get('[name="body"]').setValue('门店新招三人，想了解补贴。')
    const [type, area] = wrapper.findAllComponents({ name: 'PickField' })
    type!.vm.$emit('update:modelValue', 'labour')
    area!.vm.$emit('update:modelValue', '110112104')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(send).toHaveBeenCalledTimes(2)
    expect(send.mock.calls[0]![1]).toBe(send.mock.calls[1]![1])
    expect(send.mock.calls[0]![0]).toMatchObject({ type: 'labour', area: '110112104' })
    expect(router.currentRoute.value.path).toBe('/tickets/3')
  })
})

describe('hints', () => {
  it('of the state and of what can be done are read where they belong, as text', async () => {
    vi.spyOn(api, 'getTicket').mockResolvedValue(ticket)
    vi.spyOn(api, 'getJudgeForm').mockResolvedValue(judgeForm)
    const hints = vi.spyOn(api, 'listHints').mockResolvedValue([
      {
        for: 'requester',
        step: 'at-closed',
        text: '<b>已办结</b>',
        linkText: '指南',
        linkUrl: '/help/1',
        version: 1,
      },
      {
        for: 'requester',
        step: 'rate',
        text: '评价不影响办事',
        pictureUrl: '/p',
        alt: '星级说明',
        version: 1,
      },
      { for: 'requester', step: 'at-received', text: '等待受理', version: 1 },
    ])
    await loadHints(Infinity)
    const { wrapper } = await open(TicketDetail, { id: 3 })
    expect(hints).toHaveBeenCalledOnce()
    const shown = wrapper.findAll('[role="note"]')
    expect(shown.map((n) => n.text())).toEqual(['<b>已办结</b>指南', '评价不影响办事'])
    expect(shown[0]!.get('a').attributes('href')).toBe('/help/1')
    expect(shown[1]!.get('img').attributes('alt')).toBe('星级说明')
  })
})

describe('TicketDetail', () => {
  it('asks who is not satisfied for words where the form does, and forgets the tags of another level', async () => {
    vi.spyOn(api, 'getTicket').mockResolvedValue(ticket)
    vi.spyOn(api, 'getJudgeForm').mockResolvedValue(judgeForm)
    const rate = vi.spyOn(api, 'rateTicket').mockResolvedValue({ ...ticket, rating: 1, actions: [] })
    const { wrapper } = await open(TicketDetail as typeof TicketForm, { id: 3 })
    const radios = wrapper.findAll('[role="radio"]')
    await radios[0]!.trigger('click')
    await wrapper.get('[aria-pressed]').trigger('click')
    await radios[1]!.trigger('click')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(wrapper.text()).toContain('请写明具体情况')
    await wrapper.get('textarea[name="opinion"]').setValue('没有人联系过我')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(rate).toHaveBeenCalledWith(
      3,
      { version: 6, rating: 1, tags: [], opinion: '没有人联系过我' },
      expect.any(String),
    )
  })
  it('shows markup as text, and rates in two taps', async () => {
    const load = vi.spyOn(api, 'getTicket').mockResolvedValue(ticket)
    const rate = vi.spyOn(api, 'rateTicket').mockResolvedValue({ ...ticket, rating: 5, actions: [] })
    vi.spyOn(api, 'getJudgeForm').mockResolvedValue(judgeForm)
    const { wrapper } = await open(TicketDetail as typeof TicketForm, { id: 3 })
    expect(wrapper.text()).toContain('<script>alert(1)</script>')
    expect(wrapper.text()).toContain('申报指南.pdf')
    expect(wrapper.text()).toContain('损失：12.5 万元')
    expect(wrapper.text()).not.toContain('提交评价')
    await wrapper.get('[role="radio"]').trigger('click')
    expect(wrapper.text()).toContain('哪些方面让您满意？')
    await wrapper.findAll('[aria-pressed]')[1]!.trigger('click')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(rate).toHaveBeenCalledWith(
      3,
      { version: 6, rating: 5, tags: ['态度好'], opinion: '' },
      expect.stringMatching(/^[0-9a-f-]{36}$/),
    )
    expect(load).toHaveBeenCalledTimes(2)
  })
  it('asks for what a suspended ticket waits for, and sends it', async () => {
    const waits: api.Ticket = {
      ...ticket,
      status: 'suspended',
      closedAt: undefined,
      ask: '请补充劳动合同',
      actions: ['supplement'],
    }
    vi.spyOn(api, 'getTicket').mockResolvedValue(waits)
    const send = vi
      .spyOn(api, 'supplementTicket')
      .mockResolvedValue({ ...ticket, status: 'signed', actions: [] })
    const { wrapper } = await open(TicketDetail as typeof TicketForm, { id: 3 })
    expect(wrapper.text()).toContain('请补充劳动合同')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(send).not.toHaveBeenCalled()
    await wrapper.get('[name="text"]').setValue('合同已上传')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(send).toHaveBeenCalledWith(3, { version: 6, text: '合同已上传', fileIds: [] }, expect.any(String))
  })
  it('says that a foreign ticket was not found', async () => {
    vi.spyOn(api, 'getTicket').mockRejectedValue(new ApiError('not_found'))
    const { wrapper } = await open(TicketDetail as typeof TicketForm, { id: 99 })
    expect(wrapper.text()).toContain('没有找到')
  })
})
