import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Component } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { Session } from '@/api/identity'
import * as api from '@/api/message'
import { useSession } from '@/stores/session'
import { useUnread } from '@/stores/unread'
import { codeText } from './labels'
import LetterList from './LetterList.vue'
import MessageList from './MessageList.vue'

const message: api.Message = {
  id: 9,
  template: 'product.submitted',
  group: 'product',
  title: '产品待初审',
  text: '云河银行提交了产品“云贷”，请初审。',
  link: '/products/5',
  createdAt: '2026-11-24T02:00:00Z',
}
const letter: api.Letter = {
  id: 4,
  channel: 'wechat',
  template: 'application.accepted',
  title: '申请已受理',
  recipient: 'oBAK****6789',
  state: 'unknown',
  version: 3,
  sendId: 's1',
  receipt: '',
  code: '',
  attempts: 2,
  createdAt: '2026-11-24T02:00:00Z',
  triedAt: '2026-11-24T02:00:01Z',
  canResend: true,
}

async function open(component: Component, at: string) {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/messages', name: 'messages', component: page },
      { path: '/message-letters', name: 'message-letters', component: page },
      { path: '/products/:id', name: 'product', component: page },
      { path: '/:rest(.*)*', name: 'not-found', component: page },
    ],
  })
  await router.push(at)
  const pinia = createPinia()
  setActivePinia(pinia)
  useSession().current = { signedIn: true, permissions: [], user: { party: 'platform' } } as unknown as Session
  const wrapper = mount(component, { global: { plugins: [router, pinia] }, attachTo: document.body })
  await flushPromises()
  return { wrapper, router, unread: useUnread() }
}

beforeEach(() => {
  vi.restoreAllMocks()
  document.body.innerHTML = ''
})

describe('MessageList', () => {
  it('opening a message reads it and offers the way to the case', async () => {
    vi.spyOn(api, 'listMessages').mockResolvedValue({ items: [message] })
    const read = vi.spyOn(api, 'readMessage').mockResolvedValue({ ...message, readAt: '2026-11-24T03:00:00Z' })
    const count = vi.spyOn(api, 'countUnread').mockResolvedValue(0)
    const { wrapper, router } = await open(MessageList, '/messages?open=9')
    await vi.waitFor(() => expect(wrapper.text()).toContain('前往办理'))
    expect(read).toHaveBeenCalledWith(9, expect.anything())
    expect(count).toHaveBeenCalled()
    expect(wrapper.find('.dot').exists()).toBe(false)
    await wrapper
      .findAll('button')
      .find((b) => b.text() === '前往办理')!
      .trigger('click')
    await flushPromises()
    expect(router.currentRoute.value.name).toBe('product')
  })

  it('asks for unread ones only when the address says so', async () => {
    const list = vi.spyOn(api, 'listMessages').mockResolvedValue({ items: [] })
    const { wrapper } = await open(MessageList, '/messages?show=unread')
    expect(list).toHaveBeenCalledWith({ unread: true, cursor: undefined, limit: 20 }, expect.anything())
    expect(wrapper.text()).toContain('没有符合条件的记录')
  })

  it('marks all up to the newest that was seen', async () => {
    vi.spyOn(api, 'listMessages').mockResolvedValue({ items: [message] })
    vi.spyOn(api, 'countUnread').mockResolvedValueOnce(1).mockResolvedValue(0)
    const mark = vi.spyOn(api, 'readAllMessages').mockResolvedValue({ marked: 1 })
    const { wrapper, unread } = await open(MessageList, '/messages')
    await unread.refresh()
    await flushPromises()
    await wrapper
      .findAll('button')
      .find((b) => b.text() === '全部标为已读')!
      .trigger('click')
    await flushPromises()
    expect(mark).toHaveBeenCalledWith(9)
    expect(unread.label).toBe('')
  })
})

describe('LetterList', () => {
  it('asks for the channel and the number of the address', async () => {
    vi.spyOn(api, 'listTemplates').mockResolvedValue([])
    const list = vi.spyOn(api, 'listLetters').mockResolvedValue({ items: [letter] })
    const { wrapper } = await open(LetterList, '/message-letters?channel=wechat&state=unknown&phone=13800138000')
    expect(list).toHaveBeenCalledWith(
      expect.objectContaining({ channel: 'wechat', state: 'unknown', phone: '13800138000', template: undefined }),
      expect.anything(),
    )
    await vi.waitFor(() => expect(wrapper.text()).toContain('oBAK****6789'))
    expect(wrapper.text()).toContain('结果不明')
  })

  it('sends an unknown one again with a reason, under the version that was seen', async () => {
    vi.spyOn(api, 'listTemplates').mockResolvedValue([])
    vi.spyOn(api, 'listLetters').mockResolvedValue({ items: [letter] })
    vi.spyOn(api, 'getLetter').mockResolvedValue(letter)
    const release = vi.spyOn(api, 'releaseLetter').mockResolvedValue({ ...letter, state: 'queued' })
    const { wrapper } = await open(LetterList, '/message-letters?channel=wechat&open=4')
    await vi.waitFor(() => expect(wrapper.text()).toContain('确认未送达并重发'))
    wrapper.findComponent({ name: 'ReasonDialog' }).vm.$emit('confirm', '已电话询问本人，确认没有收到')
    await flushPromises()
    expect(release).toHaveBeenCalledWith(letter, '已电话询问本人，确认没有收到', expect.any(String))
  })

  it('offers nothing to who may only look', async () => {
    vi.spyOn(api, 'listTemplates').mockResolvedValue([])
    vi.spyOn(api, 'listLetters').mockResolvedValue({ items: [letter] })
    vi.spyOn(api, 'getLetter').mockResolvedValue({ ...letter, canResend: false })
    const { wrapper } = await open(LetterList, '/message-letters?channel=wechat&open=4')
    await vi.waitFor(() => expect(wrapper.text()).toContain('系统不会自动重发'))
    expect(wrapper.text()).not.toContain('确认未送达并重发')
  })
})

describe('labels', () => {
  it('explains the codes people meet and leaves others alone', () => {
    expect(codeText('43004')).toContain('没有关注')
    expect(codeText('isv.NEW')).toBe('')
  })
})
