import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'

import { ApiError } from '@/api/error'
import * as feedback from '@/composables/feedback'

import * as api from './api'
import ContractsPage from './ContractsPage.vue'

const contract: api.Contract = {
  id: 7,
  version: 3,
  number: 'HT20261130-000007',
  code: 'ABCD1234EFGH5678',
  state: 'sent',
  caseId: 3,
  caseNumber: 'SQ20261124-000003',
  institutionName: '运河银行',
  enterpriseName: '麦香面包房',
  title: '贷款服务合同',
  body: '贷款金额 50 万元。\n期限 12 个月。',
  days: 7,
  digest: 'f'.repeat(64),
  at: '2026-11-29T01:00:00Z',
  sentAt: '2026-11-29T02:00:00Z',
  expiresAt: '2026-12-06T02:00:00Z',
  signing: false,
  signatures: [],
  actions: ['sign', 'reject'],
}

async function open() {
  const page = { template: '<i />' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/applications/:id/contracts', component: page },
      { path: '/applications/:id', component: page },
      { path: '/:rest(.*)*', component: page },
    ],
  })
  await router.push('/applications/3/contracts')
  const wrapper = mount(ContractsPage, {
    props: { id: 3 },
    global: { plugins: [router, createPinia()] },
  })
  await flushPromises()
  return wrapper
}
const button = (wrapper: Awaited<ReturnType<typeof open>>, text: string) =>
  wrapper.findAll('button').find((b) => b.text() === text)!

describe('contracts of an application', () => {
  const confirm = () => vi.spyOn(feedback, 'confirm')
  beforeEach(() => {
    confirm().mockResolvedValue(true)
    vi.spyOn(feedback, 'say').mockReturnValue()
  })
  afterEach(() => vi.restoreAllMocks())

  it('shows the whole contract and where it is verified', async () => {
    vi.spyOn(api, 'listContracts').mockResolvedValue([
      {
        ...contract,
        signatures: [
          { side: 'company', name: '林晓梅', at: '2026-11-30T01:00:00Z', making: false, fits: false },
        ],
      },
    ])
    const page = await open()
    expect(page.text()).toContain('贷款金额 50 万元。')
    expect(page.text()).toContain('待企业签署')
    expect(page.text()).toContain('签名与内容不符')
    expect(page.find('a[href^="/contracts/verify"]').attributes('href')).toBe(
      '/contracts/verify?number=HT20261130-000007&code=ABCD1234EFGH5678',
    )
  })

  it('says that there is none yet', async () => {
    vi.spyOn(api, 'listContracts').mockResolvedValue([])
    expect((await open()).text()).toContain('机构还没有发送合同')
  })

  it('signs with the code that was sent, once it was asked', async () => {
    vi.spyOn(api, 'listContracts').mockResolvedValue([contract])
    const code = vi.spyOn(api, 'sendSigningCode').mockResolvedValue({ sentTo: '199****0001' })
    const signed = vi.spyOn(api, 'signContract').mockResolvedValue({ ...contract, state: 'half' })
    const page = await open()
    await page.find('form.sign').trigger('submit')
    await flushPromises()
    expect(page.text()).toContain('请填写 6 位短信验证码')
    expect(signed).not.toHaveBeenCalled()
    await button(page, '获取验证码').trigger('click')
    await flushPromises()
    expect(code).toHaveBeenCalledTimes(1)
    expect(page.text()).toContain('199****0001')
    expect(button(page, '60 秒后可重发').attributes('disabled')).toBeDefined()
    await page.find('input[name="code"]').setValue('123456')
    confirm().mockResolvedValueOnce(false)
    await page.find('form.sign').trigger('submit')
    await flushPromises()
    expect(signed).not.toHaveBeenCalled()
    await page.find('form.sign').trigger('submit')
    await flushPromises()
    expect(signed).toHaveBeenCalledWith(contract, '123456')
  })

  it('shows why a code is refused at the field', async () => {
    vi.spyOn(api, 'listContracts').mockResolvedValue([contract])
    vi.spyOn(api, 'signContract').mockRejectedValue(
      new ApiError('invalid', {
        status: 422,
        code: 'CODE_WRONG',
        message: '验证码不正确',
        fields: { code: '验证码不正确，还可以再试 4 次' },
      }),
    )
    const page = await open()
    await page.find('input[name="code"]').setValue('123456')
    await page.find('form.sign').trigger('submit')
    await flushPromises()
    expect(page.text()).toContain('还可以再试 4 次')
  })

  it('rejects with a reason only', async () => {
    vi.spyOn(api, 'listContracts').mockResolvedValue([contract])
    const rejected = vi.spyOn(api, 'rejectContract').mockResolvedValue({ ...contract, state: 'rejected' })
    const page = await open()
    await button(page, '拒签').trigger('click')
    await flushPromises()
    expect(page.text()).toContain('请填写拒签原因')
    await page.find('textarea').setValue('利率与约定不符')
    await button(page, '拒签').trigger('click')
    await flushPromises()
    expect(rejected).toHaveBeenCalledWith(contract, '利率与约定不符')
  })

  it('answers who asks to void: agreeing needs no words, refusing does', async () => {
    const asked: api.Contract = {
      ...contract,
      state: 'effective',
      voidSide: 'institution',
      voidReason: '产品停办',
      actions: ['answer_void'],
    }
    vi.spyOn(api, 'listContracts').mockResolvedValue([asked])
    const answered = vi.spyOn(api, 'voidContract').mockResolvedValue({ ...asked, state: 'voided' })
    const page = await open()
    expect(page.text()).toContain('机构申请作废此合同：产品停办')
    await button(page, '不同意作废').trigger('click')
    await flushPromises()
    expect(answered).not.toHaveBeenCalled()
    await button(page, '同意作废').trigger('click')
    await flushPromises()
    expect(answered).toHaveBeenCalledWith(asked, true, '')
  })
})
