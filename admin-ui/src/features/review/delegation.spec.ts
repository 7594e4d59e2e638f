import { flushPromises, mount } from '@vue/test-utils'
import ElementPlus from 'element-plus'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import * as api from './delegation'
import DelegationForm from './DelegationForm.vue'
import DelegationPage from './DelegationPage.vue'

const people = [
  { id: 1, name: '李审' },
  { id: 2, name: '王审' },
  { id: 3, name: '赵强' },
]
const all: api.Delegations = {
  arrange: true,
  items: [],
  works: [
    { key: 'enterprise.review', title: '企业认证审核', reviewers: [people[0]!, people[1]!], candidates: people },
    {
      key: 'product.review_platform',
      title: '产品初审',
      reviewers: [people[0]!],
      candidates: [people[0]!, people[2]!],
    },
  ],
}
const router = createRouter({
  history: createMemoryHistory(),
  routes: [{ path: '/', component: { template: '<i/>' } }],
})
const options = { global: { plugins: [ElementPlus, router] }, attachTo: document.body }

beforeEach(() => {
  document.body.innerHTML = ''
  vi.restoreAllMocks()
})

describe('who may stand in', () => {
  it('sees everything that was chosen and is not on leave', () => {
    expect(api.reviewersOf(all).map((c) => c.id)).toEqual([1, 2])
    expect(api.worksOf(all, 2).map((w) => w.key)).toEqual(['enterprise.review'])
    expect(api.candidatesOf(all, ['enterprise.review'], 1).map((c) => c.id)).toEqual([2, 3])
    expect(api.candidatesOf(all, ['enterprise.review', 'product.review_platform'], 1).map((c) => c.id)).toEqual([3])
    expect(api.candidatesOf(all, [], 1)).toEqual([])
  })
})

describe('DelegationForm', () => {
  it('says what is missing and sends nothing', async () => {
    const send = vi.spyOn(api, 'delegate')
    mount(DelegationForm, { ...options, props: { all: { ...all, arrange: false, works: [all.works![1]!] } } })
    await flushPromises()
    Array.from(document.querySelectorAll('button'))
      .find((b) => b.textContent?.trim() === '委托')!
      .click()
    await vi.waitFor(() => expect(document.body.textContent).toContain('请选择受托的同事'))
    await vi.waitFor(() => expect(document.body.textContent).toContain('请选择起止日期'))
    expect(document.body.textContent).not.toContain('离岗的审核人员')
    expect(document.querySelector<HTMLInputElement>('input[type=checkbox]')!.checked).toBe(true)
    expect(send).not.toHaveBeenCalled()
  })
})

describe('DelegationPage', () => {
  it('shows who stands in for whom and takes back what may be', async () => {
    const row: api.Delegation = {
      id: 7,
      fromId: 1,
      fromName: '李审',
      toId: 3,
      toName: '赵强',
      works: ['enterprise.review'],
      titles: ['企业认证审核'],
      starts: '2026-11-22',
      ends: '2026-11-24',
      reason: '年休假',
      state: 'holds',
      byName: '李审',
      at: '',
      endedBy: '',
      canEnd: true,
    }
    vi.spyOn(api, 'listDelegations').mockResolvedValue({
      ...all,
      items: [row, { ...row, id: 8, state: 'over', canEnd: false }],
    })
    const ended = vi.spyOn(api, 'endDelegation').mockResolvedValue(all)
    const wrapper = mount(DelegationPage, options)
    await flushPromises()
    expect(wrapper.text()).toContain('企业认证审核')
    const take = wrapper.findAll('button').filter((b) => b.text() === '收回')
    expect(take).toHaveLength(1)
    await take[0]!.trigger('click')
    await flushPromises()
    Array.from(document.querySelectorAll<HTMLButtonElement>('.el-message-box button'))
      .find((b) => b.textContent?.trim() === '收回')!
      .click()
    await vi.waitFor(() => expect(ended).toHaveBeenCalledWith(7))
  })
})
