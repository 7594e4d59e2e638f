import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter, type RouteLocationNormalized } from 'vue-router'

import { ApiError } from '@/api/error'
import * as identity from '@/api/identity'
import type { Session } from '@/api/session'
import * as feedback from '@/composables/feedback'
import { useSession } from '@/stores/session'

import AccountPage from './AccountPage.vue'
import RegisterPage from './RegisterPage.vue'
import { askWeChat, insideWeChat, leave, stopAskingWeChat } from './wechat'

const visitor: Session = {
  signedIn: false,
  user: null,
  enterprise: null,
  institution: null,
  department: null,
  permissions: [],
  deputed: [],
  csrfToken: 't',
  demo: false,
  wechat: true,
  district: '某区',
}
const to = (fullPath: string, wechat?: string) =>
  ({
    path: fullPath.split('?')[0],
    fullPath,
    query: wechat ? { wechat } : {},
  }) as unknown as RouteLocationNormalized

function holdPhone(): void {
  vi.spyOn(navigator, 'userAgent', 'get').mockReturnValue('Mozilla/5.0 MicroMessenger/8.0.50')
}

let left: ReturnType<typeof vi.spyOn>
beforeEach(() => {
  sessionStorage.clear()
  setActivePinia(createPinia())
  useSession().accept(visitor)
  left = vi.spyOn(leave, 'to').mockReturnValue()
})

describe('askWeChat', () => {
  it('leaves other browsers alone', () => {
    expect(askWeChat(to('/'))).toBe(false)
    expect(left).not.toHaveBeenCalled()
  })

  it('asks when the app is opened in WeChat, once, and comes back to the same page', () => {
    holdPhone()
    expect(askWeChat(to('/policy?tab=1'))).toBe(true)
    expect(left).toHaveBeenCalledWith(`/wechat/authorize?return=${encodeURIComponent('/m/policy?tab=1')}`)
    expect(askWeChat(to('/register', 'new'))).toBe(false)
    expect(askWeChat(to('/'))).toBe(false)
    expect(askWeChat(to('/mine'))).toBe(false)
    expect(left).toHaveBeenCalledTimes(1)
  })

  it('asks again at a page that needs to know the person, once the server has forgotten', () => {
    holdPhone()
    vi.useFakeTimers()
    askWeChat(to('/'))
    vi.advanceTimersByTime(11 * 60_000)
    expect(askWeChat(to('/'))).toBe(false)
    expect(askWeChat(to('/mine'))).toBe(true)
    vi.useRealTimers()
  })

  it.each([
    ['not offered', () => useSession().accept({ ...visitor, wechat: false })],
    ['signed in', () => useSession().accept({ ...visitor, signedIn: true })],
    ['signed out on purpose', stopAskingWeChat],
  ])('does not ask when %s', (_, prepare) => {
    holdPhone()
    prepare()
    expect(askWeChat(to('/'))).toBe(false)
    expect(askWeChat(to('/mine'))).toBe(false)
  })

  it('does not ask after a trip that failed', () => {
    holdPhone()
    expect(askWeChat(to('/login', 'off'))).toBe(false)
  })

  it('believes the stand-in for WeChat in a demo only', () => {
    expect(askWeChat(to('/', 'sandbox'))).toBe(false)
    expect(insideWeChat()).toBe(false)
    useSession().accept({ ...visitor, demo: true })
    expect(askWeChat(to('/a?wechat=sandbox&b=1', 'sandbox'))).toBe(true)
    expect(left).toHaveBeenCalledWith(`/wechat/authorize?return=${encodeURIComponent('/m/a?b=1')}`)
    expect(insideWeChat()).toBe(true)
  })
})

const account: identity.Account = {
  name: '李梅',
  account: '',
  phoneMasked: '138****8000',
  party: 'enterprise',
  place: '麦香烘焙',
  roles: [],
  hasPassword: false,
  mustChange: false,
  wechat: 'bound',
  sessions: [
    {
      id: 1,
      device: '微信（安卓）',
      ip: '10.0.0.1',
      current: true,
      createdAt: '2026-11-22T06:00:00Z',
      seenAt: '2026-11-22T06:00:00Z',
    },
    {
      id: 2,
      device: 'Chrome（Windows）',
      ip: '10.0.0.2',
      current: false,
      createdAt: '2026-11-22T06:00:00Z',
      seenAt: '2026-11-22T06:00:00Z',
    },
  ],
}

async function show(component: typeof AccountPage | typeof RegisterPage, at: string) {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: ['/', '/login', '/privacy', '/register', '/account', '/mine'].map((path) => ({
      path,
      name: path.slice(1) || 'home',
      component: page,
    })),
  })
  await router.push(at)
  const wrapper = mount(component, { global: { plugins: [router, createPinia()] }, attachTo: document.body })
  await flushPromises()
  const press = (text: string) =>
    wrapper
      .findAll('button')
      .find((b) => b.text() === text)!
      .trigger('click')
      .then(flushPromises)
  return { wrapper, press }
}

describe('AccountPage', () => {
  it('unties WeChat after asking, and ends another session', async () => {
    vi.spyOn(identity, 'getAccount').mockResolvedValue(account)
    const unbind = vi.spyOn(identity, 'unbindWechat').mockResolvedValue(undefined as never)
    const end = vi.spyOn(identity, 'endSession').mockResolvedValue(undefined as never)
    const ask = vi.spyOn(feedback, 'confirm').mockResolvedValueOnce(false).mockResolvedValue(true)
    vi.spyOn(feedback, 'say').mockReturnValue()
    const { wrapper, press } = await show(AccountPage, '/account')
    expect(wrapper.text()).toContain('微信（安卓）')
    await press('解除绑定')
    expect(unbind).not.toHaveBeenCalled()
    await press('解除绑定')
    expect(ask).toHaveBeenCalledTimes(2)
    expect(unbind).toHaveBeenCalledTimes(1)
    await press('结束登录')
    expect(end).toHaveBeenCalledWith(2)
    expect(identity.getAccount).toHaveBeenCalledTimes(3)
  })

  it('binds inside WeChat, and says elsewhere where to', async () => {
    vi.spyOn(identity, 'getAccount').mockResolvedValue({ ...account, wechat: 'unbound' })
    const bind = vi.spyOn(identity, 'bindWechat').mockResolvedValue({ url: 'https://open.example/' })
    const { wrapper } = await show(AccountPage, '/account')
    expect(wrapper.text()).toContain('请在微信中打开后绑定')
    wrapper.unmount()
    holdPhone()
    const inside = await show(AccountPage, '/account')
    await inside.press('绑定微信')
    expect(bind).toHaveBeenCalledWith('/m/account')
    expect(left).toHaveBeenCalledWith('https://open.example/')
  })

  it('says when it cannot be loaded', async () => {
    vi.spyOn(identity, 'getAccount').mockRejectedValue(new ApiError('unavailable'))
    const { wrapper } = await show(AccountPage, '/account')
    expect(wrapper.text()).toContain('重新加载')
  })
})

describe('RegisterPage', () => {
  it('says what registering is good for when WeChat knows the phone', async () => {
    vi.spyOn(identity, 'createCaptcha').mockResolvedValue({ id: 'c', imageUrl: '/i.png', audioUrl: '/a.wav' })
    expect((await show(RegisterPage, '/register?wechat=new')).wrapper.text()).toContain(
      '注册后即可用微信登录',
    )
    expect((await show(RegisterPage, '/register')).wrapper.text()).not.toContain('微信登录')
  })
})
