import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError } from '@/api/client'
import * as api from './api'
import ContractSection from './ContractSection.vue'
import SignDialog from './SignDialog.vue'

const contract: api.Contract = {
  id: 4,
  version: 2,
  number: 'HT20261130-000004',
  code: 'AAAA-BBBB-CCCC-DDDD',
  state: 'half',
  caseId: 9,
  caseNumber: 'SQ20261130-000009',
  institutionName: '运河银行',
  enterpriseName: '麦香烘焙',
  title: '借款合同',
  body: '<b>正文</b>',
  days: 7,
  digest: 'ab',
  at: '2026-11-30T02:00:00Z',
  sentAt: '2026-11-30T02:00:00Z',
  expiresAt: '2026-12-07T02:00:00Z',
  signing: false,
  signatures: [{ side: 'company', name: '王芳', at: '2026-11-30T03:00:00Z', making: false, fits: true }],
  actions: ['sign', 'withdraw'],
}

const show = (component: object, props: Record<string, unknown>) =>
  mount(component, { props, attachTo: document.body, global: { plugins: [createPinia()] } })

beforeEach(() => {
  vi.restoreAllMocks()
  document.body.innerHTML = ''
})

describe('blanks', () => {
  it('finds what is not filled', () => {
    expect(api.blanks('甲方{{ 企业名称 }}，年利率{{年利率}}')).toEqual(['企业名称', '年利率'])
    expect(api.blanks('全部填好')).toEqual([])
  })
})

describe('the section', () => {
  it('shows signatures and offers only what the server allows', async () => {
    vi.spyOn(api, 'listContracts').mockResolvedValue({ items: [contract], drafts: false })
    const wrapper = show(ContractSection, { id: 9 })
    await flushPromises()
    expect(wrapper.text()).toContain('待机构签署')
    expect(wrapper.text()).toContain('企业：王芳')
    expect(wrapper.html()).not.toContain('<b>正文</b>')
    const buttons = wrapper.findAll('button').map((b) => b.text())
    expect(buttons).toContain('签署')
    expect(buttons).toContain('撤回')
    for (const not of ['修改', '发送给企业', '申请作废', '起草合同']) expect(buttons).not.toContain(not)
  })
})

describe('signing', () => {
  it('asks for a code, refuses half a one, and signs what was seen', async () => {
    vi.spyOn(api, 'sendCode').mockResolvedValue({ sentTo: '199****0001' })
    const sign = vi
      .spyOn(api, 'signContract')
      .mockRejectedValueOnce(new ApiError({ status: 422, code: 'CODE_WRONG', message: '短信验证码不正确' }))
      .mockResolvedValue(contract)
    const wrapper = show(SignDialog, { contract })
    await flushPromises()
    const press = async (text: string) => {
      ;[...document.querySelectorAll('button')].find((b) => b.textContent?.trim() === text)!.click()
      await flushPromises()
    }
    await press('获取验证码')
    expect(document.body.textContent).toContain('199****0001')
    await press('确认签署')
    expect(sign).not.toHaveBeenCalled()
    const code = document.querySelector<HTMLInputElement>('input[aria-label="短信验证码"]')!
    code.value = '123456'
    code.dispatchEvent(new Event('input'))
    await flushPromises()
    await press('确认签署')
    expect(wrapper.emitted('signed')).toBeUndefined()
    await press('确认签署')
    expect(sign).toHaveBeenCalledWith(contract, '123456')
    expect(wrapper.emitted('signed')).toHaveLength(1)
  })
})
