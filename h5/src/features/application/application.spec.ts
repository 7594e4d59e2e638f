import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Component } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'

import { ApiError } from '@/api/error'

import * as api from './api'
import ApplicationDetail from './ApplicationDetail.vue'
import ApplicationList from './ApplicationList.vue'
import ApplyPage from './ApplyPage.vue'
import { checkApply, fenOf, monthsOf, stepsOf } from './checks'
import { applicationLook } from './labels'
import { factsOf, filesOf, progressOf, resultOf } from './progress'

const offer: api.Offer = {
  id: 500,
  name: '烘焙贷',
  edition: 1,
  kind: 'financing',
  kindName: '融资服务',
  lends: true,
  institutionId: 30,
  institutionName: '运河银行',
  amountMin: 10_000_000,
  amountMax: 300_000_000,
  termMin: 6,
  termMax: 36,
  materials: ['营业执照'],
  days: 0,
}

const form: api.ApplicationForm = {
  product: offer,
  listed: true,
  verified: true,
  enterpriseName: '麦香面包房',
  contactName: '王芳',
  phone: '138****8000',
  known: [
    {
      group: 'operation',
      label: '从业人员',
      text: '26 人',
      source: '企业填报',
      asOf: '2025-12-31T00:00:00Z',
    },
  ],
  sharing: { holds: false, word: '未授权' },
  fields: [],
  papers: [
    { id: 41, name: '营业执照', number: '91110112MA01', word: '有效' },
    { id: 42, name: '食品经营许可证', number: 'JY1110', word: '还有 12 天到期' },
  ],
  prefill: { contactName: '王会计', phone: '010-60000009', papers: [41] },
}

const application: api.Application = {
  id: 3,
  number: 'SQ20261124-000003',
  hints: [
    { kind: '', for: 'applicant', step: 'at-supplement', text: '等待补充期间时限暂停', version: 1 },
    { kind: '', for: 'applicant', step: 'supplement', text: '一次交齐', version: 1 },
  ],
  version: 2,
  status: 'supplement',
  productId: 500,
  productName: '烘焙贷',
  edition: 1,
  kind: 'financing',
  kindName: '融资服务',
  lends: true,
  institutionId: 30,
  institutionName: '运河银行',
  enterpriseId: 70,
  enterpriseName: '麦香面包房',
  amount: 50_000_000,
  term: 12,
  handlerName: '',
  submittedAt: '2026-11-24T01:30:00Z',
  dueAt: '2026-11-26T01:30:00Z',
  dueFor: 'accept',
  held: true,
  payments: [],
  overdue: false,
  purpose: '换烤箱 <script>alert(1)</script>',
  extra: [{ key: 'first', label: '是否首贷', values: ['yes'], text: '是' }],
  collateral: '',
  materials: ['营业执照'],
  source: 'h5',
  contactName: '王芳',
  phone: '138****8000',
  telephoneOpens: false,
  reason: '请补充租赁合同',
  approvedAmount: 0,
  approvedRate: 0,
  approvedTerm: 0,
  disbursedAmount: 0,
  next: '请按要求补充材料并提交，提交后继续办理。',
  institutionPhone: '010-88880030',
  hotline: '12345',
  timeline: [
    { seq: 1, kind: 'application.submitted', label: '提交申请', at: '2026-11-24T01:30:00Z', actor: '王芳' },
    {
      seq: 2,
      kind: 'application.supplement_asked',
      label: '要求补正',
      at: '2026-11-24T03:00:00Z',
      actor: '运河银行',
      text: '请补充租赁合同',
      fileIds: [9],
    },
  ],
  files: [
    { id: 8, name: '流水.pdf', size: 10, mime: 'application/pdf', url: '/api/files/8', state: 'available' },
    { id: 9, name: '样例.pdf', size: 10, mime: 'application/pdf', url: '/api/files/9', state: 'available' },
  ],
  paperFiles: [],
  unanswered: [],
  actions: ['supplement', 'withdraw'],
}

async function open(component: Component, props = {}, at = '/products/500/apply') {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/applications', component: page },
      { path: '/applications/:id', name: 'application', component: page },
      { path: '/products/:id/apply', name: 'apply', component: page },
      { path: '/company', component: page },
    ],
  })
  await router.push(at)
  const wrapper = mount(component, {
    props,
    global: { plugins: [router, createPinia()] },
    attachTo: document.body,
  })
  await flushPromises()
  return { wrapper, router }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  sessionStorage.clear()
  document.body.innerHTML = ''
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('amounts and terms', () => {
  it.each([
    ['50', 50_000_000],
    ['12.5', 12_500_000],
    ['0.000001', 1],
    ['99999999', 99_999_999_000_000],
    ['12.3456789', null],
    ['1e3', null],
    ['', null],
    ['五十', null],
  ])('reads %s as %s fen', (typed, fen) => expect(fenOf(typed)).toBe(fen))
  it('reads whole months only', () => {
    expect([monthsOf('12'), monthsOf('1.5'), monthsOf('')]).toEqual([12, null, null])
  })
})

describe('checkApply', () => {
  const good = { amount: '50', term: '12', purpose: '换烤箱', collateral: '', contactName: '', phone: '' }
  it('lets a complete form pass, with or without a phone', () => {
    expect(checkApply(good, offer)).toEqual({})
    expect(checkApply({ ...good, phone: '0557-3022345' }, offer)).toEqual({})
  })
  it.each([
    ['amount', { amount: '' }],
    ['amount', { amount: '9.99' }],
    ['amount', { amount: '300.01' }],
    ['amount', { amount: '50.12345' }],
    ['term', { term: '5' }],
    ['term', { term: '37' }],
    ['purpose', { purpose: ' ' }],
    ['purpose', { purpose: '𠮷'.repeat(1001) }],
    ['collateral', { collateral: '房'.repeat(301) }],
    ['phone', { phone: '12345' }],
  ])('refuses a wrong %s alone', (field, change) => {
    expect(Object.keys(checkApply({ ...good, ...change }, offer))).toEqual([field])
  })
  it('asks no figures for a service', () => {
    expect(checkApply({ ...good, amount: '', term: '' }, { ...offer, lends: false })).toEqual({})
    expect(stepsOf(false).flatMap((step) => step.fields)).not.toContain('amount')
  })
})

describe('progress', () => {
  it('is told newest first, files beside their step', () => {
    expect(progressOf(application).map((item) => item.key)).toEqual([2, 1])
    expect(filesOf(application, 2).map((file) => file.id)).toEqual([9])
    expect(filesOf(application).map((file) => file.id)).toEqual([8])
  })
  it('tells amount and result in words', () => {
    expect(factsOf(application).map((fact) => fact.value)).toContain('50 万元')
    expect(resultOf(application)).toEqual([])
    const granted = { ...application, approvedAmount: 40_000_000, approvedRate: 385, approvedTerm: 12 }
    expect(resultOf(granted).map((fact) => fact.value)).toEqual(['40 万元', '3.85%', '12 个月'])
  })
  it('has a word for a state that is not known yet', () => {
    expect(applicationLook('approved').word).toBe('已审批')
    expect(applicationLook('submitted')).toEqual({ word: '待受理', tone: 'warning', icon: 'bell' })
    expect(applicationLook('signed').word).toBe('办理中')
  })
})

describe('ApplyPage', () => {
  it('goes screen by screen, saves as typed, sends once under one key', async () => {
    vi.spyOn(api, 'getForm').mockResolvedValue(form)
    const save = vi
      .spyOn(api, 'saveDraft')
      .mockImplementation((_, body) => Promise.resolve({ ...body, savedAt: '2026-11-24T02:00:00Z' }))
    const send = vi
      .spyOn(api, 'submitApplication')
      .mockRejectedValueOnce(new ApiError('network'))
      .mockResolvedValue(application)
    const { wrapper, router } = await open(ApplyPage, { id: 500 })
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(wrapper.text()).toContain('请填写申请金额')
    expect(router.currentRoute.value.query.step).toBeUndefined()

    await wrapper.get('[name="amount"]').setValue('50')
    await wrapper.get('[name="term"]').setValue('12')
    expect(save).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1000)
    expect(save).toHaveBeenCalledTimes(1)
    expect(save.mock.calls[0]![1]).toMatchObject({
      amount: '50',
      term: '12',
      contactName: '王会计',
      files: [],
      papers: [41],
    })
    await flushPromises()
    expect(wrapper.text()).toContain('已保存 2026年11月24日 10:00')

    await wrapper.get('form').trigger('submit')
    await flushPromises()
    await wrapper.get('[name="purpose"]').setValue('换烤箱')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(wrapper.text()).toContain('怎样联系您')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(router.currentRoute.value.query.step).toBe('4')
    expect(wrapper.text()).toContain('50 万元')
    expect(wrapper.text()).toContain('010-60000009')
    expect(wrapper.text()).toContain('26 人（企业填报')
    expect(wrapper.text()).toContain('去授权')
    wrapper.findAllComponents({ name: 'VanCheckbox' }).at(1)!.trigger('click')
    await flushPromises()
    for (let n = 0; n < 2; n++) {
      await wrapper.get('form').trigger('submit')
      await flushPromises()
    }
    expect(send).toHaveBeenCalledTimes(2)
    expect(send.mock.calls[0]![1]).toBe(send.mock.calls[1]![1])
    expect(send.mock.calls[1]![0]).toMatchObject({
      productId: 500,
      amount: 50_000_000,
      term: 12,
      purpose: '换烤箱',
      paperIds: [41, 42],
    })
    expect(router.currentRoute.value.path).toBe('/applications/3')
    const saves = save.mock.calls.length
    await vi.advanceTimersByTimeAsync(5000)
    expect(save).toHaveBeenCalledTimes(saves)
  })
  it('asks what administrators ask, keeps it in the draft and sends it', async () => {
    const fields = [
      { key: 'first', label: '是否首贷', kind: 'yesno' as const, required: true },
      { key: 'area', label: '经营面积', kind: 'number' as const, unit: '平方米' },
    ]
    vi.spyOn(api, 'getForm').mockResolvedValue({
      ...form,
      fields,
      draft: {
        amount: '50',
        term: '12',
        purpose: '换烤箱',
        collateral: '',
        contactName: '',
        phone: '',
        files: [],
        fields: { area: ['120'], gone: ['旧'] },
        savedAt: '2026-11-24T02:00:00Z',
      },
    })
    const save = vi
      .spyOn(api, 'saveDraft')
      .mockResolvedValue({ savedAt: '2026-11-24T02:00:00Z' } as Awaited<ReturnType<typeof api.saveDraft>>)
    const send = vi
      .spyOn(api, 'submitApplication')
      .mockRejectedValueOnce(
        new ApiError('invalid', { fields: { 'fields.area': '经营面积应为整数' }, message: '请核对' }),
      )
      .mockResolvedValue(application)
    const { wrapper, router } = await open(ApplyPage, { id: 500 }, '/products/500/apply?step=4')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(send).not.toHaveBeenCalled()
    expect(router.currentRoute.value.query.step).toBe('2')
    expect(wrapper.text()).toContain('请选择是否首贷')
    await wrapper.get('[role="radio"]').trigger('click')
    await vi.advanceTimersByTimeAsync(1000)
    expect(save).toHaveBeenLastCalledWith(
      500,
      expect.objectContaining({ fields: { first: ['yes'], area: ['120'] } }),
    )
    await router.push('/products/500/apply?step=4')
    await flushPromises()
    expect(wrapper.text()).toContain('120 平方米')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(router.currentRoute.value.query.step).toBe('2')
    expect(wrapper.text()).toContain('经营面积应为整数')
    expect(send.mock.calls[0]![0]).toMatchObject({ fields: { first: ['yes'], area: ['120'] } })
  })
  it('goes on where the draft was left and back to the screen that is wrong', async () => {
    const draft = { amount: '50', term: '12', purpose: '', collateral: '', contactName: '', phone: '' }
    vi.spyOn(api, 'getForm').mockResolvedValue({
      ...form,
      draft: { ...draft, files: [{ id: 701, name: '流水.pdf', size: 9 }], savedAt: '2026-11-24T02:00:00Z' },
    })
    vi.spyOn(api, 'saveDraft').mockRejectedValue(new ApiError('network'))
    const send = vi.spyOn(api, 'submitApplication')
    const { wrapper, router } = await open(ApplyPage, { id: 500 }, '/products/500/apply?step=4')
    expect(wrapper.text()).toContain('流水.pdf')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(send).not.toHaveBeenCalled()
    expect(router.currentRoute.value.query.step).toBe('2')
    expect(wrapper.text()).toContain('请填写资金用途')
    await wrapper.get('[name="purpose"]').setValue('换烤箱')
    await vi.advanceTimersByTimeAsync(1000)
    await flushPromises()
    expect(wrapper.text()).toContain('没有保存成功')
  })
  it('says what stands in the way and leads on', async () => {
    vi.spyOn(api, 'getForm').mockResolvedValue({ ...form, openId: 3, openNumber: 'SQ20261124-000003' })
    const first = await open(ApplyPage, { id: 500 })
    expect(first.wrapper.text()).toContain('查看这件申请')
    expect(first.wrapper.find('form').exists()).toBe(false)
    vi.spyOn(api, 'getForm').mockResolvedValue({ ...form, verified: false })
    const second = await open(ApplyPage, { id: 500 }, '/products/500/apply?step=4')
    expect(second.wrapper.text()).toContain('去认证企业')
    expect(second.wrapper.get('button[type="submit"]').attributes('disabled')).toBeDefined()
  })
  it('shows that another application came first', async () => {
    vi.spyOn(api, 'getForm')
      .mockResolvedValueOnce({
        ...form,
        draft: {
          amount: '50',
          term: '12',
          purpose: '换烤箱',
          collateral: '',
          contactName: '',
          phone: '',
          files: [],
          savedAt: '2026-11-24T02:00:00Z',
        },
      })
      .mockResolvedValue({ ...form, openId: 9, openNumber: 'SQ20261124-000009' })
    vi.spyOn(api, 'submitApplication').mockRejectedValue(
      new ApiError('conflict', { code: 'APPLICATION_OPEN' }),
    )
    const { wrapper } = await open(ApplyPage, { id: 500 }, '/products/500/apply?step=4')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(wrapper.text()).toContain('SQ20261124-000009')
  })
})

describe('ApplicationList', () => {
  it('says what to do when there is none', async () => {
    vi.spyOn(api, 'listApplications').mockResolvedValue({ items: [] })
    vi.spyOn(api, 'listDrafts').mockResolvedValue([])
    const { wrapper } = await open(ApplicationList)
    expect(wrapper.text()).toContain('还没有提交过申请')
  })
  it('shows drafts and applications with their states', async () => {
    const load = vi.spyOn(api, 'listApplications').mockResolvedValue({ items: [application] })
    vi.spyOn(api, 'listDrafts').mockResolvedValue([
      {
        productId: 501,
        productName: '代理记账',
        kindName: '财税服务',
        institutionName: '通成',
        savedAt: '2026-11-24T02:00:00Z',
      },
    ])
    const { wrapper } = await open(ApplicationList)
    for (const part of ['草稿', '继续填写', '待补正', '请按要求补充材料', '50 万元'])
      expect(wrapper.text()).toContain(part)
    await wrapper.findAll('.van-tab')[1]!.trigger('click')
    await flushPromises()
    expect(load).toHaveBeenLastCalledWith(['supplement', 'delivered'], undefined)
    expect(wrapper.text()).not.toContain('继续填写')
  })
})

describe('ApplicationDetail', () => {
  it('shows markup as text, whom to call, and supplies what is lacking', async () => {
    const load = vi.spyOn(api, 'getApplication').mockResolvedValue(application)
    const supply = vi.spyOn(api, 'supplementApplication').mockResolvedValue(application)
    const { wrapper } = await open(ApplicationDetail, { id: 3 })
    for (const part of [
      '<script>alert(1)</script>',
      '需要补充',
      '请补充租赁合同',
      '12345',
      '流水.pdf',
      '撤回申请',
    ]) {
      expect(wrapper.text()).toContain(part)
    }
    expect(wrapper.get('a[href="tel:010-88880030"]').text()).toContain('010-88880030')
    await wrapper.get('form').trigger('submit')
    expect(wrapper.text()).toContain('请填写补充说明')
    await wrapper.get('[name="note"]').setValue('已补传')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(supply).toHaveBeenCalledWith(application, { note: '已补传', fileIds: [] }, expect.any(String))
    expect(load).toHaveBeenCalledTimes(2)
  })

  const heads = { key: 'heads', label: '需认证人数', kind: 'number', required: true } as api.OwnField
  it('puts an answer right with the supplement, and says at the field what is wrong with it', async () => {
    const lacking: api.Application = {
      ...application,
      mend: { version: 2, alone: false, fields: [heads], values: { heads: ['十二'] } },
    }
    vi.spyOn(api, 'getApplication').mockResolvedValue(lacking)
    const supply = vi
      .spyOn(api, 'supplementApplication')
      .mockRejectedValueOnce(new ApiError('invalid', { fields: { 'fields.heads': '需认证人数应为数字' } }))
      .mockResolvedValue(lacking)
    const { wrapper } = await open(ApplicationDetail, { id: 3 })
    await wrapper.get('[name="note"]').setValue('已更正')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(wrapper.text()).toContain('需认证人数应为数字')
    await wrapper.get('[name="fields.heads"]').setValue('12')
    expect(wrapper.text()).not.toContain('需认证人数应为数字')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(supply).toHaveBeenLastCalledWith(
      lacking,
      { note: '已更正', fileIds: [], fields: { heads: ['12'] } },
      expect.any(String),
    )
  })

  it('asks for what is required and was never answered', async () => {
    const bare: api.Application = {
      ...application,
      status: 'accepted',
      actions: ['withdraw'],
      unanswered: ['需认证人数'],
      mend: { version: 0, alone: true, fields: [heads], values: {} },
    }
    vi.spyOn(api, 'getApplication').mockResolvedValue(bare)
    const fill = vi.spyOn(api, 'fillApplication').mockResolvedValue(bare)
    const { wrapper } = await open(ApplicationDetail, { id: 3 })
    expect(wrapper.text()).toContain('还需要填写：需认证人数')
    await wrapper.get('form').trigger('submit')
    expect(wrapper.text()).toContain('请填写需认证人数')
    expect(fill).not.toHaveBeenCalled()
    await wrapper.get('[name="fields.heads"]').setValue('12')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(fill).toHaveBeenCalledWith(3, 0, { heads: ['12'] }, expect.any(String))
  })
  it('says that a foreign application was not found', async () => {
    vi.spyOn(api, 'getApplication').mockRejectedValue(new ApiError('not_found'))
    const { wrapper } = await open(ApplicationDetail, { id: 99 })
    expect(wrapper.text()).toContain('没有找到')
  })
})
