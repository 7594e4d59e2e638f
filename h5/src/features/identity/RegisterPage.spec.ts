import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'

import { ApiError } from '@/api/error'
import * as identity from '@/api/identity'
import type { Session } from '@/api/session'
import { useSession } from '@/stores/session'

import { checkRegistration } from './checks'
import RegisterPage from './RegisterPage.vue'

const session: Session = {
  signedIn: true,
  user: { id: 1, name: '王芳', phoneMasked: '138****8000', party: 'enterprise' },
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
const good = {
  phone: '13800138000',
  captchaAnswer: '',
  code: '123456',
  companyName: '某某科技有限公司',
  contactName: '王芳',
  consent: true,
}

async function open() {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: ['/', '/login', '/privacy', '/policy', '/register'].map((path) => ({
      path,
      name: path.slice(1) || 'home',
      component: page,
    })),
  })
  await router.push('/register?return=/policy')
  const wrapper = mount(RegisterPage, {
    global: { plugins: [router, createPinia()] },
    attachTo: document.body,
  })
  await flushPromises()
  const fill = (name: string, value: string) => wrapper.get(`[name="${name}"]`).setValue(value)
  return { wrapper, router, fill }
}

beforeEach(() => {
  sessionStorage.clear()
  document.body.innerHTML = ''
  vi.spyOn(identity, 'createCaptcha').mockResolvedValue({ id: 'cap', imageUrl: '/i.png', audioUrl: '/a.wav' })
})

describe('checkRegistration', () => {
  it('lets a complete registration pass', () => {
    expect(checkRegistration(good)).toEqual({})
  })

  it.each([
    ['phone', { phone: '1380013800' }],
    ['phone', { phone: '12800138000' }],
    ['code', { code: '12345' }],
    ['companyName', { companyName: ' 甲乙 ' }],
    ['contactName', { contactName: '王' }],
    ['consent', { consent: false }],
  ])('refuses a wrong %s alone', (field, change) => {
    expect(Object.keys(checkRegistration({ ...good, ...change }))).toEqual([field])
  })
})

describe('RegisterPage', () => {
  it('says at each field what is missing and sends nothing', async () => {
    const register = vi.spyOn(identity, 'register').mockResolvedValue(session)
    const { wrapper } = await open()
    await wrapper.get('form').trigger('submit')
    for (const sentence of ['请填写 11 位手机号', '6 位数字', '企业全称', '联系人姓名', '同意后再注册']) {
      expect(wrapper.text()).toContain(sentence)
    }
    expect(register).not.toHaveBeenCalled()
  })

  it('asks for the captcha before a message is sent, then counts down', async () => {
    const send = vi
      .spyOn(identity, 'sendSmsCode')
      .mockResolvedValue({ sentTo: '138****8000', retryAfter: 60 })
    const { wrapper, fill } = await open()
    await fill('phone', '138 0013 8000')
    const button = wrapper.findAll('button').find((b) => b.text() === '获取验证码')!
    await button.trigger('click')
    expect(wrapper.text()).toContain('请填写图中的数字')
    expect(send).not.toHaveBeenCalled()
    await fill('captchaAnswer', '4711')
    await button.trigger('click')
    await flushPromises()
    expect(send).toHaveBeenCalledWith({
      phone: '13800138000',
      purpose: 'register',
      captchaId: 'cap',
      captchaAnswer: '4711',
    })
    expect(wrapper.text()).toContain('验证码已发送至 138****8000')
    expect(button.attributes('disabled')).toBeDefined()
  })

  it.each(['１３８ 1111-2222', '+86 138-1111-2222', '＋８６１３８１１１１２２２２'])(
    'takes the phone number %s whole',
    async (typed) => {
      const { wrapper, fill } = await open()
      await fill('phone', typed)
      expect(wrapper.get<HTMLInputElement>('[name="phone"]').element.value).toBe('13811112222')
    },
  )

  it('sends a long company name whole and shows at the field what the server says', async () => {
    const refusal = new ApiError('invalid', { fields: { companyName: '请填写 1 至 100 个字' } })
    const register = vi.spyOn(identity, 'register').mockRejectedValue(refusal)
    const { wrapper, fill } = await open()
    const companyName = '长'.repeat(101)
    for (const [name, value] of Object.entries({ ...good, companyName })) {
      if (typeof value === 'string' && name !== 'captchaAnswer') await fill(name, value)
    }
    await wrapper.get('.van-checkbox__icon').trigger('click')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(register.mock.lastCall?.[0].companyName).toBe(companyName)
    const field = wrapper.findAll('.van-field').find((f) => f.find('[name="companyName"]').exists())
    expect(field?.text()).toContain('请填写 1 至 100 个字')
  })

  it('keeps the sentence of a wrong captcha beside a new picture', async () => {
    const refusal = new ApiError('invalid', { fields: { captchaAnswer: '图形验证码不对，请看新的一张。' } })
    vi.spyOn(identity, 'sendSmsCode').mockRejectedValue(refusal)
    const { wrapper, fill } = await open()
    await fill('phone', good.phone)
    await fill('captchaAnswer', '1')
    await wrapper
      .findAll('button')
      .find((b) => b.text() === '获取验证码')!
      .trigger('click')
    await flushPromises()
    expect(wrapper.text()).toContain('图形验证码不对')
    expect(identity.createCaptcha).toHaveBeenCalledTimes(2)
  })

  it('registers, takes the session and goes back to where the person came from', async () => {
    const register = vi.spyOn(identity, 'register').mockResolvedValue(session)
    const { wrapper, router, fill } = await open()
    await fill('phone', good.phone)
    await fill('code', good.code)
    await fill('companyName', ` ${good.companyName} `)
    await fill('contactName', good.contactName)
    await wrapper.get('.van-checkbox__icon').trigger('click')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    const { phone, code, companyName, contactName, consent } = good
    expect(register).toHaveBeenCalledWith(
      { phone, code, companyName, contactName, consent },
      expect.stringMatching(/^[0-9a-f-]{36}$/),
    )
    expect(useSession().signedIn).toBe(true)
    expect(router.currentRoute.value.path).toBe('/policy')
  })
})
