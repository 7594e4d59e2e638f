import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import * as api from './api'
import * as desk from './desk'
import DeskPage from './DeskPage.vue'

/** Opens the desk as an agent without a draft, for tests; parts it is not about are left out. */
export async function openDesk(leftOut: string[]) {
  vi.spyOn(api, 'listTicketTypes').mockResolvedValue([])
  vi.spyOn(api, 'listTicketUnits').mockResolvedValue([])
  vi.spyOn(api, 'listTicketAreas').mockResolvedValue([])
  vi.spyOn(desk, 'getDraft').mockResolvedValue(undefined as never)
  vi.spyOn(desk, 'keepDraft').mockResolvedValue(undefined as never)
  vi.spyOn(desk, 'dropDraft').mockResolvedValue(undefined as never)
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/desk', component: DeskPage },
      { path: '/tickets/:id', name: 'ticket', component: { template: '<i/>' } },
    ],
  })
  await router.push('/desk')
  const wrapper = mount(DeskPage, {
    global: { plugins: [router, createPinia()], stubs: Object.fromEntries(leftOut.map((name) => [name, true])) },
  })
  await flushPromises()
  return { router, wrapper }
}
