import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import * as api from './api'
import * as desk from './desk'
import DeskPage from './DeskPage.vue'

it('takes the number that rings while the page is open, once more when it rings again, and never over what is typed', async () => {
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
    global: {
      plugins: [router, createPinia()],
      stubs: { DeskMatter: true, DeskAnswer: true, StepHint: true, CallerHistory: true },
    },
  })
  await flushPromises()
  const phone = () => wrapper.get<HTMLInputElement>('input[aria-label="来电号码"]')
  const rings = async (number: string) => {
    await router.push({ path: '/desk', query: { phone: number } })
    await flushPromises()
  }
  expect(phone().element.value).toBe('')
  await rings('13612341012')
  expect(phone().element.value).toBe('13612341012')
  // Written down, the form is empty; the same caller rings again.
  await phone().setValue('')
  await rings('13612341012')
  expect(phone().element.value).toBe('13612341012')
  await rings('13612341013')
  expect(phone().element.value).toBe('13612341012')
  expect(document.body.textContent).toContain('上一个来电还没有登记完')
  expect(router.currentRoute.value.query).toEqual({})
})
