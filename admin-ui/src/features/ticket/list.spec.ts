import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, describe, expect, it, vi } from 'vitest'
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

describe('on a narrow screen', () => {
  const narrow = (matches: boolean) =>
    vi
      .spyOn(window, 'matchMedia')
      .mockReturnValue({ matches, addEventListener: () => {}, removeEventListener: () => {} } as never)
  const seen = (wrapper: Awaited<ReturnType<typeof open>>) => wrapper.get('form.filters').isVisible()

  afterEach(() => {
    localStorage.clear()
    vi.restoreAllMocks()
  })

  it('the filters are behind a button that counts them, and stay as they were left', async () => {
    narrow(true)
    const load = vi.spyOn(api, 'listTickets').mockResolvedValue({ items: [] })
    let wrapper = await open('/tickets?status=signed&urgency=critical')
    const button = () => wrapper.get('button.fold')
    expect(seen(wrapper)).toBe(false)
    expect(button().text()).toBe('筛选（2）')
    expect(button().attributes()).toMatchObject({ 'aria-expanded': 'false' })
    expect(wrapper.find(`#${button().attributes('aria-controls')}`).exists()).toBe(true)
    await button().trigger('click')
    expect(seen(wrapper)).toBe(true)
    expect(button().text()).toBe('收起筛选（2）')
    expect(button().attributes('aria-expanded')).toBe('true')
    wrapper.unmount()
    // The page is loaded anew: open as it was left.
    wrapper = await open('/tickets?status=signed&urgency=critical')
    expect(seen(wrapper)).toBe(true)
    // What was found takes the place of the form, and the caret is not lost.
    load.mockClear()
    await wrapper.get('form.filters').trigger('submit')
    await flushPromises()
    expect(load).toHaveBeenCalledOnce()
    expect(seen(wrapper)).toBe(false)
    expect(document.activeElement).toBe(button().element)
    wrapper.unmount()
  })

  it('the slash unfolds them and puts the caret into the words', async () => {
    narrow(true)
    vi.spyOn(api, 'listTickets').mockResolvedValue({ items: [] })
    const wrapper = await open('/tickets')
    document.dispatchEvent(new KeyboardEvent('keydown', { key: '/', bubbles: true }))
    await flushPromises()
    expect(seen(wrapper)).toBe(true)
    expect(document.activeElement?.getAttribute('aria-label')).toBe('关键词')
    wrapper.unmount()
  })

  it('on a wide one they stand open without a button', async () => {
    narrow(false)
    vi.spyOn(api, 'listTickets').mockResolvedValue({ items: [] })
    const wrapper = await open('/tickets')
    expect(wrapper.find('button.fold').exists()).toBe(false)
    expect(seen(wrapper)).toBe(true)
    wrapper.unmount()
  })
})
