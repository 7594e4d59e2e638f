import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Component } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'

import { ApiError } from '@/api/error'
import * as feedback from '@/composables/feedback'

import * as api from './api'
import CoursePage from './CoursePage.vue'
import { courseOf, factsOf, formOf, paperLook, stateLook } from './labels'
import OnboardingPage from './OnboardingPage.vue'

const application = (more: Partial<api.Application> = {}): api.Application => ({
  id: 7,
  number: '',
  state: 'draft',
  label: '填写中',
  round: 0,
  name: '公信律师事务所',
  kind: 'law',
  kindName: '律师事务所',
  creditCode: '91990000MDM00430Q',
  userName: '李律',
  version: 3,
  overdue: false,
  legalPerson: '李正',
  phone: '010-60000002',
  address: '运河大道2号',
  summary: '劳动用工与合同服务。',
  offers: '为小微企业审查合同，按件收费。',
  contactName: '李律',
  contactPhone: '13800138031',
  account: 'gongxin',
  documents: [],
  rounds: [],
  timeline: [],
  mayDecide: false,
  mayWithdraw: false,
  ...more,
})
const paper = (more: Partial<api.Document> = {}): api.Document => ({
  id: 11,
  name: '执业许可证',
  no: '演示311号',
  to: '2027-06-30',
  days: 200,
  files: [
    { id: 5, name: '许可证.png', size: 68, mime: 'image/png', url: '/api/files/5', state: 'available' },
  ],
  ...more,
})
const desk = (a?: api.Application, next = ''): api.Desk => ({
  application: a,
  next,
  kinds: [
    { code: 'bank', name: '银行' },
    { code: 'law', name: '律师事务所' },
  ],
})
const waiting = (): api.Application =>
  application({
    state: 'waiting',
    label: '待初审',
    number: 'RZ20261122-000007',
    round: 1,
    mayWithdraw: true,
    dueAt: '2026-11-24T02:00:00Z',
    timeline: [{ seq: 1, label: '提交申请', at: '2026-11-22T02:00:00Z', actor: '李律', text: '' }],
  })

async function open(component: Component, at = '/institutions/apply', props: Record<string, unknown> = {}) {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/institutions/apply', name: 'onboarding', component: page },
      { path: '/mine', name: 'mine', component: page },
      { path: '/:missing(.*)*', name: 'missing', component: page },
    ],
  })
  await router.push(at)
  const wrapper = mount(component, { props, global: { plugins: [router] }, attachTo: document.body })
  await flushPromises()
  return { wrapper, router }
}
type Page = Awaited<ReturnType<typeof open>>['wrapper']
const press = async (wrapper: Page, text: string) => {
  await wrapper
    .findAll('button')
    .find((b) => b.text() === text)!
    .trigger('click')
  await flushPromises()
}

let said: string[] = []
beforeEach(() => {
  document.body.innerHTML = ''
  said = []
  vi.spyOn(feedback, 'say').mockImplementation((words) => void said.push(words))
})
afterEach(() => vi.restoreAllMocks())

describe('labels', () => {
  it('says how long a paper holds', () => {
    expect(paperLook(paper())).toBeNull()
    expect(paperLook(paper({ to: '', days: 0 }))).toBeNull()
    expect(paperLook(paper({ days: 12 }))?.word).toBe('即将到期')
    expect(paperLook(paper({ days: -1 }))?.word).toBe('已过期')
  })
  it('masks the phone of the contact and leaves out what is empty', () => {
    const facts = factsOf(application())
    expect(facts.find((f) => f.label === '联系手机')?.value).toBe('138****8031')
    expect(facts.some((f) => f.label === '申请编号')).toBe(false)
  })
  it('puts the review it waits for on top', () => {
    expect(courseOf(waiting()).map((s) => s.title)).toEqual(['等待平台初审', '提交申请'])
    expect(courseOf(application({ state: 'approved' }))).toEqual([])
    expect(stateLook(waiting())).toMatchObject({ word: '待初审', tone: 'info' })
  })
  it('begins with what is kept, or empty', () => {
    expect(formOf(application()).offers).toContain('按件收费')
    expect(Object.values(formOf()).every((value) => value === '')).toBe(true)
  })
})

describe('the form', () => {
  it('keeps what is typed and begins anew with what the server has', async () => {
    vi.spyOn(api, 'getDesk').mockResolvedValue(desk())
    const save = vi
      .spyOn(api, 'saveDraft')
      .mockResolvedValue(desk(application({ name: '运河律师事务所', version: 1 })))
    const { wrapper } = await open(OnboardingPage)
    await wrapper.get('input[name="name"]').setValue('运河律师事务所')
    await wrapper.get('select[name="kind"]').setValue('law')
    await press(wrapper, '保存草稿')
    expect(save.mock.calls[0]?.slice(0, 2)).toEqual([{ ...formOf(), name: '运河律师事务所', kind: 'law' }, 0])
    expect(said).toEqual(['草稿已保存，可以稍后继续填写'])
    save.mockResolvedValue(desk(application({ version: 2 })))
    await press(wrapper, '保存草稿')
    expect(save.mock.calls[1]?.[1]).toBe(1) // of the draft it made
    expect(save.mock.calls[1]?.[2]).not.toBe(save.mock.calls[0]?.[2])
  })
  it('says at its input what is wrong, and at the papers what is wrong with them', async () => {
    vi.spyOn(api, 'getDesk').mockResolvedValue(desk(application()))
    vi.spyOn(api, 'submit').mockRejectedValue(
      new ApiError('invalid', {
        fields: {
          creditCode: '统一社会信用代码有误',
          documents: '请至少添加一份执照或许可，并上传照片或扫描件',
        },
      }),
    )
    vi.spyOn(api, 'addPaper').mockRejectedValue(
      new ApiError('invalid', {
        fields: { docName: '请填写证照名称', docFiles: '请上传证照的照片或扫描件' },
      }),
    )
    const { wrapper } = await open(OnboardingPage)
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(wrapper.text()).toContain('统一社会信用代码有误')
    expect(wrapper.get('.acts').text()).toContain('请至少添加一份执照或许可')
    await press(wrapper, '添加证照')
    expect(wrapper.text()).toContain('请填写证照名称')
    expect(wrapper.get('.acts').text()).not.toContain('请上传证照')
    expect(wrapper.text()).toContain('请上传证照的照片或扫描件')
  })
  it('shows the papers and takes one out after asking', async () => {
    vi.spyOn(api, 'getDesk').mockResolvedValue(desk(application({ documents: [paper({ days: 12 })] })))
    const remove = vi.spyOn(api, 'removePaper').mockResolvedValue(desk(application({ version: 4 })))
    const ask = vi.spyOn(feedback, 'confirm').mockResolvedValue(false)
    const { wrapper } = await open(OnboardingPage)
    for (const part of ['执业许可证', '即将到期', '许可证.png']) expect(wrapper.text()).toContain(part)
    await press(wrapper, '移除')
    expect(remove).not.toHaveBeenCalled()
    ask.mockResolvedValue(true)
    await press(wrapper, '移除')
    expect(remove.mock.calls[0]?.slice(1, 3)).toEqual([3, 11])
    expect(wrapper.text()).toContain('还没有添加证照')
  })
  it('asks before a paper that was typed but not added stays behind', async () => {
    vi.spyOn(api, 'getDesk').mockResolvedValue(desk(application({ documents: [paper()] })))
    const send = vi.spyOn(api, 'submit').mockResolvedValue(desk(waiting(), '请等待审核'))
    const ask = vi.spyOn(feedback, 'confirm').mockResolvedValue(false)
    const { wrapper } = await open(OnboardingPage)
    await wrapper.get('input[name="docName"]').setValue('营业执照')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(send).not.toHaveBeenCalled()
    ask.mockResolvedValue(true)
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(send.mock.calls[0]?.[0]).not.toHaveProperty('docName')
    expect(said).toContain('入驻申请已提交')
    expect(wrapper.text()).toContain('请等待审核')
    expect(wrapper.find('form').exists()).toBe(false)
  })
  it('says why it came back, and begins empty after a refusal only when asked', async () => {
    const round = {
      round: 1,
      submittedAt: '2026-11-22T02:00:00Z',
      dueAt: '2026-11-24T02:00:00Z',
      outcome: 'returned' as const,
      label: '已退回，待补正',
      reason: '证照照片不清晰',
      reviewer: '',
      checker: '',
      changes: [],
    }
    const load = vi.spyOn(api, 'getDesk')
    load.mockResolvedValue(desk(application({ state: 'returned', rounds: [round] })))
    const returned = await open(OnboardingPage)
    expect(returned.wrapper.text()).toContain('证照照片不清晰')
    expect(returned.wrapper.find('form').exists()).toBe(true)
    load.mockResolvedValue(
      desk(application({ state: 'refused', label: '不予通过', rounds: [round] }), '申请未通过'),
    )
    const refused = await open(OnboardingPage)
    expect(refused.wrapper.find('form').exists()).toBe(false)
    expect(refused.wrapper.text()).toContain('重新申请')
    const again = await open(OnboardingPage, '/institutions/apply?again=1')
    expect((again.wrapper.get('input[name="name"]').element as HTMLInputElement).value).toBe('')
  })
})

describe('the course', () => {
  it('shows one by its id and takes it back after asking', async () => {
    const load = vi
      .spyOn(api, 'getDesk')
      .mockResolvedValue(desk(waiting(), '将在2026年11月24日前完成平台初审'))
    const back = vi.spyOn(api, 'withdraw').mockResolvedValue(desk(application({ version: 5 })))
    const ask = vi.spyOn(feedback, 'confirm').mockResolvedValue(false)
    const { wrapper, router } = await open(CoursePage, '/institutions/apply/7', { id: 7 })
    expect(load).toHaveBeenCalledWith(7)
    for (const part of ['RZ20261122-000007', '待初审', '将在2026年11月24日前完成平台初审', '等待平台初审'])
      expect(wrapper.text()).toContain(part)
    await press(wrapper, '撤回申请')
    expect(back).not.toHaveBeenCalled()
    ask.mockResolvedValue(true)
    await press(wrapper, '撤回申请')
    expect(back).toHaveBeenCalledOnce()
    expect(router.currentRoute.value.name).toBe('onboarding')
  })
})
