import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'

import { ApiError } from '@/api/error'
import * as api from '@/api/message'
import type { Session } from '@/api/session'
import { useSession } from '@/stores/session'
import { useUnread } from '@/stores/unread'

import MessageList from './MessageList.vue'
import MessageSettings from './MessageSettings.vue'

const message: api.Message = {
  id: 9,
  template: 'ticket.replied',
  group: 'ticket',
  title: '承办单位已反馈',
  text: '已修复 <script>alert(1)</script>',
  link: '/tickets/3',
  createdAt: '2026-11-24T02:00:00Z',
}
const read = { ...message, readAt: '2026-11-24T03:00:00Z' }

async function open(component: typeof MessageList | typeof MessageSettings) {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/', component: page },
      { path: '/messages/settings', component: page },
      { path: '/tickets/:id', name: 'ticket', component: page },
      { path: '/:missing(.*)*', name: 'missing', component: page },
    ],
  })
  await router.push('/')
  const pinia = createPinia()
  setActivePinia(pinia)
  useSession().current = { signedIn: true } as Session
  const wrapper = mount(component as typeof MessageList, {
    global: { plugins: [router, pinia] },
    attachTo: document.body,
  })
  await flushPromises()
  return { wrapper, router, unread: useUnread() }
}

beforeEach(() => {
  vi.restoreAllMocks()
  document.body.innerHTML = ''
})

describe('MessageList', () => {
  it('says what will stand here', async () => {
    vi.spyOn(api, 'listMessages').mockResolvedValue({ items: [] })
    const { wrapper } = await open(MessageList)
    expect(wrapper.text()).toContain('还没有消息')
  })

  it('marks a message as read and follows it', async () => {
    vi.spyOn(api, 'listMessages').mockResolvedValue({ items: [message] })
    vi.spyOn(api, 'countUnread').mockResolvedValue(0)
    const mark = vi.spyOn(api, 'readMessage').mockResolvedValue(read)
    const { wrapper, router } = await open(MessageList)
    expect(wrapper.text()).toContain('<script>alert(1)</script>')
    expect(wrapper.find('.dot').exists()).toBe(true)
    await wrapper.get('.item').trigger('click')
    await flushPromises()
    expect(mark).toHaveBeenCalledWith(9)
    expect(router.currentRoute.value.path).toBe('/tickets/3')
    expect(wrapper.find('.dot').exists()).toBe(false)
  })

  it('does not lead to a page this version lacks', async () => {
    vi.spyOn(api, 'listMessages').mockResolvedValue({ items: [{ ...read, link: '/applications/12' }] })
    const { wrapper, router } = await open(MessageList)
    expect(wrapper.text()).not.toContain('查看详情')
    await wrapper.get('.item').trigger('click')
    await flushPromises()
    expect(router.currentRoute.value.path).toBe('/')
  })

  it('marks all up to the newest that was seen, and reads again what came', async () => {
    const list = vi.spyOn(api, 'listMessages').mockResolvedValue({ items: [message] })
    vi.spyOn(api, 'countUnread').mockResolvedValueOnce(1).mockResolvedValue(0)
    const mark = vi.spyOn(api, 'readAllMessages').mockResolvedValue({ marked: 1 })
    const { wrapper, unread } = await open(MessageList)
    await unread.refresh()
    await flushPromises()
    expect(list).toHaveBeenCalledTimes(2)
    await wrapper.get('.all button').trigger('click')
    await flushPromises()
    expect(mark).toHaveBeenCalledWith(9)
    expect(unread.label).toBe('')
  })

  it('offers to try again', async () => {
    vi.spyOn(api, 'listMessages').mockRejectedValue(new ApiError('network'))
    const { wrapper } = await open(MessageList)
    expect(wrapper.text()).toContain('重新加载')
  })
})

describe('unread', () => {
  it('shows nothing for none, 99+ for many, and keeps its number when the network fails', async () => {
    const count = vi.spyOn(api, 'countUnread').mockResolvedValueOnce(100)
    vi.spyOn(api, 'listMessages').mockResolvedValue({ items: [] })
    const { unread } = await open(MessageList)
    await unread.refresh()
    expect(unread.label).toBe('99+')
    count.mockRejectedValueOnce(new ApiError('network'))
    await unread.refresh()
    expect(unread.label).toBe('99+')
    useSession().current = { signedIn: false } as Session
    await unread.refresh()
    expect(unread.label).toBe('')
  })
})

describe('MessageSettings', () => {
  const told: api.Preferences = {
    phone: '138****8000',
    wechat: false,
    groups: [{ group: 'ticket', label: '诉求进度', sms: true, wechat: true }],
  }

  it('switches one way off and shows what the server kept', async () => {
    vi.spyOn(api, 'getPreferences').mockResolvedValue(told)
    const set = vi
      .spyOn(api, 'setPreference')
      .mockResolvedValue({ ...told, groups: [{ ...told.groups[0]!, sms: false }] })
    const { wrapper } = await open(MessageSettings)
    expect(wrapper.text()).toContain('138****8000')
    expect(wrapper.text()).toContain('未绑定')
    await wrapper.get('[aria-label="诉求进度短信"]').trigger('click')
    await flushPromises()
    expect(set).toHaveBeenCalledWith('ticket', { sms: false, wechat: true })
    expect(wrapper.get('[aria-label="诉求进度短信"]').attributes('aria-checked')).toBe('false')
  })

  it('leaves the switch where it was when the server refuses', async () => {
    vi.spyOn(api, 'getPreferences').mockResolvedValue(told)
    vi.spyOn(api, 'setPreference').mockRejectedValue(new ApiError('network'))
    const { wrapper } = await open(MessageSettings)
    await wrapper.get('[aria-label="诉求进度短信"]').trigger('click')
    await flushPromises()
    expect(wrapper.get('[aria-label="诉求进度短信"]').attributes('aria-checked')).toBe('true')
  })
})
