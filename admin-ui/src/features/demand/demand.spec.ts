import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { ApiError } from '@/api/client'
import * as api from './api'
import ApproveDialog from './ApproveDialog.vue'
import { bidOf } from './bid'
import HallPage from './HallPage.vue'
import { span } from './labels'
import QuoteDialog from './QuoteDialog.vue'
import routes from './routes'

const hall: api.HallView = {
  id: 7,
  number: 'XQ20261130-000007',
  title: '<script>alert(1)</script>记账',
  kind: 'tax',
  kindName: '财税服务',
  lends: false,
  company: '企业未公开名称',
  named: false,
  summary: '每月记账',
  budget: '1.2 万元以内',
  term: 0,
  until: '2026-12-10',
  wantedBy: '2026-12-31',
  place: '',
  approvedAt: '2026-11-30T02:00:00Z',
  invited: true,
  description: '每月记账报税',
  open: true,
  state: 'open',
  pickUntil: '2026-12-17',
  files: [],
  why: ['产品“代理记账”与需求类别一致'],
  products: [
    {
      id: 31,
      name: '代理记账',
      kind: 'tax',
      institutionId: 3,
      institutionName: '明树',
      amountMin: 0,
      amountMax: 0,
      termMin: 0,
      termMax: 0,
    },
  ],
  actions: ['quote'],
}

async function open(component: unknown, props: Record<string, unknown> = {}, query: Record<string, string> = {}) {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: routes.map((r) => ({ ...r, path: `/${r.path}` })),
  })
  await router.push({ path: '/demand-hall', query })
  const wrapper = mount(component as object, {
    props: props as never,
    global: { plugins: [createPinia(), router] },
    attachTo: document.body,
  })
  await flushPromises()
  return { wrapper, router }
}

function press(text: string): void {
  const found = Array.from(document.querySelectorAll<HTMLElement>('button')).filter(
    (b) => b.textContent?.trim() === text,
  )
  expect(found.length, text).toBeGreaterThan(0)
  found.at(-1)!.click()
}

beforeEach(() => {
  vi.restoreAllMocks()
  document.body.innerHTML = ''
  vi.spyOn(api, 'listKinds').mockResolvedValue([{ code: 'tax', name: '财税服务', lends: false }])
})

describe('bidOf', () => {
  it('begins a new quote with the only product', () => {
    expect(bidOf(hall)).toMatchObject({ version: 0, productId: 31, price: '', validUntil: '2026-12-17' })
  })
  it('takes up what stands, in the units people type', () => {
    const quote = {
      version: 2,
      productId: 42,
      state: 'live',
      price: 0,
      days: 0,
      amount: 50_0000_00,
      rate: 385,
      term: 12,
      text: '信用',
      validUntil: '2026-12-31',
      files: [{ id: 9 }],
    } as unknown as api.Quote
    expect(bidOf({ ...hall, lends: true, quote })).toEqual({
      version: 2,
      productId: 42,
      price: '',
      days: '',
      amount: '50',
      rate: '3.85',
      term: '12',
      text: '信用',
      validUntil: '2026-12-31',
      fileIds: [9],
    })
  })
  it('keeps the version of one that was withdrawn', () => {
    const quote = { version: 3, state: 'withdrawn' } as unknown as api.Quote
    expect(bidOf({ ...hall, quote })).toMatchObject({ version: 3, price: '' })
  })
})

it('says how long it took', () => {
  expect([0, 45, 60 * 6, 60 * 72].map(span)).toEqual(['—', '45 分钟', '6 小时', '3 天'])
})

describe('the hall', () => {
  it('takes its filters from the address and shows text as text', async () => {
    const browse = vi.spyOn(api, 'browse').mockResolvedValue({ items: [hall], count: 1, page: 1, last: 1 })
    const { wrapper } = await open(HallPage, {}, { q: '记账', kind: 'tax', sort: 'until', invited: '1', page: '2' })
    expect(browse.mock.calls[0]![0]).toEqual({
      q: '记账',
      kind: 'tax',
      sort: 'until',
      invited: true,
      page: 2,
      limit: 20,
    })
    expect(wrapper.text()).toContain('<script>alert(1)</script>记账')
    expect(wrapper.find('script').exists()).toBe(false)
  })
  it('says that nothing is there', async () => {
    vi.spyOn(api, 'browse').mockResolvedValue({ items: [], count: 0, page: 1, last: 1 })
    const { wrapper } = await open(HallPage, {}, { invited: '1' })
    expect(wrapper.text()).toContain('平台邀请本机构报价的需求会显示在这里')
  })
})

describe('quoting', () => {
  it('sends once for two clicks and shows what is wrong at its input', async () => {
    let refuse: (e: unknown) => void = () => undefined
    const bid = vi.spyOn(api, 'bid').mockImplementation(() => new Promise((_, no) => (refuse = no)))
    const { wrapper } = await open(QuoteDialog, { demand: hall })
    press('提交报价')
    press('提交报价')
    await flushPromises()
    expect(bid).toHaveBeenCalledTimes(1)
    refuse(
      new ApiError({
        status: 422,
        code: 'AMOUNT_DECIMALS',
        message: '请核对填写的内容',
        fields: [{ field: 'price', message: '报价以元为单位，最多 2 位小数' }],
      }),
    )
    // the form shows an error a moment later
    await vi.waitFor(() => expect(document.body.textContent).toContain('报价以元为单位，最多 2 位小数'))
    expect(wrapper.emitted('done')).toBeUndefined()
  })
})

it('approves without those who are not chosen', async () => {
  vi.spyOn(api, 'listMatches').mockResolvedValue([
    { institutionId: 3, institutionName: '明树', why: ['产品“代理记账”与需求类别一致'] },
    { institutionId: 4, institutionName: '云帆', why: [] },
  ])
  const approve = vi.spyOn(api, 'approve').mockResolvedValue({} as api.Demand)
  const { wrapper } = await open(ApproveDialog, { demand: { id: 7, title: '记账', version: 2 } })
  expect(document.body.textContent).toContain('与需求类别一致')
  document.querySelectorAll<HTMLInputElement>('input[type=checkbox]')[1]!.click()
  await flushPromises()
  press('审核通过')
  await flushPromises()
  expect(approve.mock.calls[0]![1]).toEqual([4])
  expect(wrapper.emitted('done')).toHaveLength(1)
})
