import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import * as api from './api'
import TicketList from './TicketList.vue'

it('asks for what the address says and shows a row for each ticket', async () => {
  const row = { id: 5, number: 'GD20261122-000005', title: '停电', status: 'signed', urgency: 'critical' }
  const load = vi.spyOn(api, 'listTickets').mockResolvedValue({ items: [row as api.TicketItem] })
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/tickets', name: 'tickets', component: page },
      { path: '/tickets/new', name: 'ticket-new', component: page },
      { path: '/tickets/:id(\\d+)', name: 'ticket', component: page },
    ],
  })
  await router.push('/tickets?status=signed&status=replied&urgency=critical')
  const wrapper = mount(TicketList, { global: { plugins: [router, createPinia()] }, attachTo: document.body })
  await flushPromises()
  expect(load).toHaveBeenCalledWith(
    { status: ['signed', 'replied'], urgency: 'critical', waiting: false, cursor: undefined, limit: 20 },
    expect.anything(),
  )
  await vi.waitFor(() => expect(wrapper.text()).toContain('GD20261122-000005'))
  expect(wrapper.text()).toContain('特急')
  expect(wrapper.text()).not.toContain('代客登记')
})
