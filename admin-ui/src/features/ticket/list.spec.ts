import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import * as api from './api'
import * as desk from './desk'
import TicketList from './TicketList.vue'

async function open(path: string) {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/tickets', name: 'tickets', component: page },
      { path: '/tickets/new', name: 'ticket-new', component: page },
      { path: '/tickets/:id(\\d+)', name: 'ticket', component: page },
    ],
  })
  vi.spyOn(desk, 'listViews').mockResolvedValue({ items: [], mayShare: false })
  vi.spyOn(desk, 'countViews').mockResolvedValue([])
  vi.spyOn(api, 'listTicketTypes').mockResolvedValue([])
  await router.push(path)
  const wrapper = mount(TicketList, { global: { plugins: [router, createPinia()] }, attachTo: document.body })
  await flushPromises()
  return wrapper
}

it('marks what was searched for, escaped, and tells how it was found', async () => {
  const marks = {
    title: [{ text: '停' }, { text: '电', hit: true }, { text: '<b>' }],
    excerpt: [{ text: '门店停' }, { text: '电', hit: true }],
  }
  const row = {
    id: 5,
    number: 'GD20261122-000005',
    title: '停电<b>',
    status: 'signed',
    urgency: 'normal',
    dueAt: '2026-11-30T08:00:00Z',
    marks,
  }
  const load = vi
    .spyOn(api, 'listTickets')
    .mockResolvedValue({ items: [row as api.TicketItem], note: '全文检索服务暂不可用，已改用数据库检索' })
  const wrapper = await open('/tickets?q=停电')
  expect(load).toHaveBeenCalledWith(expect.objectContaining({ q: '停电' }), expect.anything())
  await vi.waitFor(() => expect(wrapper.findAll('mark').map((m) => m.text())).toEqual(['电', '电']))
  expect(wrapper.text()).toContain('<b>')
  expect(wrapper.text()).toContain('已改用数据库检索')
  expect(wrapper.text()).toContain('关键词：停电')
})

it('asks for what the address says and shows a row for each ticket', async () => {
  const row = {
    id: 5,
    number: 'GD20261122-000005',
    title: '停电',
    status: 'signed',
    urgency: 'critical',
    dueAt: '2026-11-30T08:00:00Z',
  }
  const load = vi.spyOn(api, 'listTickets').mockResolvedValue({ items: [row as api.TicketItem] })
  const wrapper = await open('/tickets?status=signed&status=replied&urgency=critical')
  expect(load).toHaveBeenCalledWith(
    expect.objectContaining({
      q: '',
      status: ['signed', 'replied'],
      urgency: 'critical',
      alert: '',
      flag: '',
      queue: '',
      waiting: false,
      cursor: undefined,
      limit: 20,
    }),
    expect.anything(),
  )
  await vi.waitFor(() => expect(wrapper.text()).toContain('GD20261122-000005'))
  expect(wrapper.text()).toContain('特急')
  expect(wrapper.text()).not.toContain('代客登记')
})
