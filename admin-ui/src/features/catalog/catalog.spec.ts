import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { ApiError } from '@/api/client'
import * as evaluations from '@/features/evaluation/api'
import { useSession } from '@/stores/session'
import { questions, reasons, verbOf } from './actions'
import * as extraApi from '@/features/extra/api'
import * as api from './api'
import { checkProduct, emptyProduct, toContent, toValues } from './form'
import ProductActions from './ProductActions.vue'
import ProductForm from './ProductForm.vue'
import ProductPage from './ProductPage.vue'
import ReviewQueue from './ReviewQueue.vue'
import routes from './routes'
import WaitingCard from './WaitingCard.vue'

const content: api.Content = {
  name: '烘焙贷',
  kind: 'financing',
  financingKind: 'debt',
  summary: '给面包房的信用贷款',
  description: '<script>alert(1)</script>',
  extra: [],
  cover: [{ id: 7 }],
  files: [{ id: 8 }, { id: 9 }],
  suits: {
    sections: ['I'],
    regions: [],
    sizes: ['micro'],
    titles: [],
    years: 2,
    employeesMin: 0,
    employeesMax: 300,
    revenueMin: 0,
    revenueMax: 50_000_000,
    cleanRecord: true,
  },
  rateMin: 365,
  rateMax: 435,
  amountMin: 1_000_000,
  amountMax: 50_000_000,
  termMin: 6,
  termMax: 24,
  guarantees: ['credit'],
  cost: '',
  priceText: '',
  subsidy: '',
  venues: [],
  duration: '',
  deliverables: [],
  conditions: ['无逾期贷款'],
  target: '面包房',
  materials: ['营业执照', '流水'],
  steps: ['在线申请'],
  days: 5,
  listFrom: '',
  validUntil: '',
}
const product: api.Product = {
  id: 3,
  name: '烘焙贷',
  kind: 'financing',
  kindName: '融资服务',
  financingKind: 'debt',
  financingName: '债权融资',
  institutionId: 1,
  institutionName: '运河银行',
  status: 'government_review',
  statusAt: '2026-11-22T01:30:00Z',
  edition: 2,
  shown: 1,
  version: 7,
  recommended: false,
  suspended: false,
  content,
  public: { ...content, rateMax: 450 },
  against: 1,
  changes: [{ field: 'rate', label: '年利率', before: '3.65%–4.50%', after: '3.65%–4.35%' }],
  warnings: ['年利率上限高于四倍'],
  reason: '',
  submitted: '小陈',
  suits: ['企业规模为微型'],
  texts: { rate: '3.65%–4.35%', amount: '1–50 万元', term: '6–24 个月', days: '5 个工作日' },
  editions: [
    { number: 2, status: 'government_review', name: '烘焙贷', reason: '' },
    { number: 1, status: 'listed', name: '烘焙贷', approvedAt: '2026-10-01T00:00:00Z', reason: '' },
  ],
  timeline: [
    { seq: 1, kind: 'product.submitted', label: '提交审核', at: '2026-11-22T01:00:00Z', actor: '小陈', edition: 2 },
  ],
  actions: ['pass', 'return'],
}

async function open(
  component: unknown,
  props: Record<string, unknown> = {},
  at = '/products/3',
  rights: string[] = [],
) {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: routes.map((route) => ({ ...route, path: `/${route.path}`, component: page })),
  })
  const pinia = createPinia()
  useSession(pinia).set({
    signedIn: true,
    permissions: rights,
    csrfToken: '',
    demo: false,
    wechat: false,
    district: '',
    user: null,
    enterprise: null,
    institution: null,
    department: null,
  } as never)
  await router.push(at)
  const wrapper = mount(component as typeof ProductPage, {
    props,
    global: { plugins: [router, pinia] },
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
  vi.spyOn(extraApi, 'listDefinitions').mockResolvedValue([])
  document.body.innerHTML = ''
})
afterEach(() => {
  vi.restoreAllMocks()
})

describe('form', () => {
  it('sends the answers to what is asked of the kind, as they were typed', () => {
    const answered = {
      ...content,
      extra: [
        { key: 'pledges', values: ['房产', '设备'], label: '可接受的抵押物', text: '房产、设备' },
        { key: 'gone', values: ['旧'], label: '已停用', text: '旧' },
      ],
    }
    const values = toValues(answered)
    expect(values.fields).toEqual({ pledges: ['房产', '设备'], gone: ['旧'] })
    expect(toContent(values, ['first', 'pledges']).extra).toEqual([{ key: 'pledges', values: ['房产', '设备'] }])
  })
  it('gives back what was kept, to the fen and the basis point', () => {
    expect(toContent(toValues(content))).toEqual(content)
    const odd = { ...content, rateMin: 29, rateMax: 435, amountMin: 12_345_600, amountMax: 99_999_900 }
    expect(toContent(toValues(odd))).toEqual(odd)
  })
  it('sends nothing of financing for a service', () => {
    const sent = toContent({ ...toValues(content), kind: 'legal', priceText: '免费', validUntil: null })
    expect(sent).toMatchObject({
      financingKind: '',
      rateMax: 0,
      amountMax: 0,
      termMax: 0,
      priceText: '免费',
      validUntil: '',
    })
  })
  it.each([
    ['name', { name: '贷' }],
    ['kind', { kind: '' }],
    ['financingKind', { financingKind: '' }],
    ['rateMax', { rateMin: 5 }],
    ['amountMax', { amountMin: 51 }],
    ['termMax', { termMin: 25 }],
  ])('refuses a wrong %s alone', (field, change) => {
    expect(Object.keys(checkProduct({ ...toValues(content), ...change }))).toEqual([field])
  })
  it('lets an unfinished draft pass', () => {
    expect(checkProduct({ ...emptyProduct(), name: '新产品', kind: 'legal' })).toEqual({})
  })
})

describe('actions', () => {
  it('says which review it is and has a way to take every step', () => {
    expect(verbOf('pass', { ...product, status: 'platform_review' }).text).toBe('初审通过')
    expect(verbOf('pass', product).text).toBe('终审通过')
    expect(verbOf('recommend', { ...product, recommended: true }).text).toBe('取消推荐')
    expect(verbOf('unlist', product).text).toBe('下架第 1 版')
    expect(verbOf('unlist', { ...product, status: 'listed' }).text).toBe('下架')
    const direct = ['pass', 'return', 'edit', 'revise', 'recommend']
    const all: api.ProductAction[] = ['edit', 'submit', 'withdraw', 'pass', 'return', 'take-down', 'unlist', 'revise']
    for (const action of [...all, 'recommend' as const]) {
      expect(direct.includes(action) || action in reasons || action in questions, action).toBe(true)
    }
  })
  it('passes with the reviewer’s note after showing what to look at', async () => {
    const take = vi.fn().mockResolvedValue(true)
    const { wrapper } = await open(ProductActions, { product, busy: false, take })
    press('终审通过')
    await flushPromises()
    expect(document.body.textContent).toContain('年利率上限高于四倍')
    press('通过终审')
    await flushPromises()
    expect(take).toHaveBeenCalledWith('pass', { note: '' }, '已通过终审')
    expect(wrapper.emitted('taken')).toHaveLength(1)
  })
  it('returns with ready reasons and stays open when the server refused', async () => {
    vi.spyOn(api, 'listReturnReasons').mockResolvedValue([
      { code: 'incomplete', text: '材料不完整，请补充', words: false, sort: 10, retired: false },
    ])
    const take = vi.fn().mockResolvedValue(false)
    const { wrapper } = await open(ProductActions, { product, busy: false, take })
    press('退回机构')
    await flushPromises()
    document.body.querySelector<HTMLInputElement>('.el-dialog input[type=checkbox]')!.click()
    await flushPromises()
    press('退回机构')
    await flushPromises()
    expect(take).toHaveBeenCalledWith('return', { codes: ['incomplete'], text: '' }, '已退回机构')
    expect(wrapper.emitted('taken')).toBeUndefined()
  })
})

describe('ProductPage', () => {
  it('shows the difference, what is public, and markup as text', async () => {
    vi.spyOn(api, 'getProduct').mockResolvedValue(product)
    const { wrapper } = await open(ProductPage)
    for (const part of [
      '待终审',
      '在架',
      '3.65%–4.50%',
      '与第 1 版相比',
      '企业现在看到的是第 1 版',
      '<script>',
      '第 2 版',
    ]) {
      expect(wrapper.text()).toContain(part)
    }
  })
  it('shows reviewers what companies were not content with', async () => {
    vi.spyOn(api, 'getProduct').mockResolvedValue(product)
    const list = vi.spyOn(evaluations, 'listEvaluations').mockResolvedValue({
      items: [
        {
          id: 9,
          label: '不满意',
          level: 2,
          title: '烘焙贷',
          givenAt: '2026-11-01T02:00:00Z',
          words: '催了三次',
        } as never,
      ],
    })
    const { wrapper } = await open(ProductPage, {}, '/products/3', ['evaluation.view'])
    expect(list.mock.calls[0]![0]).toMatchObject({ institutionId: 1, state: 'low' })
    expect(wrapper.text()).toContain('催了三次')
    expect(wrapper.text()).toContain('机构未回复')
  })
  it('says that a foreign product was not found', async () => {
    vi.spyOn(api, 'getProduct').mockRejectedValue(new ApiError({ status: 404, code: 'NOT_FOUND', message: '没有找到' }))
    const { wrapper } = await open(ProductPage)
    expect(wrapper.text()).toContain('没有找到')
  })
})

describe('ReviewQueue', () => {
  it('asks for what waits and shows the step', async () => {
    const load = vi.spyOn(api, 'listProducts').mockResolvedValue({ items: [product] })
    const { wrapper } = await open(ReviewQueue, {}, '/product-reviews?kind=financing')
    expect(load).toHaveBeenCalledWith(
      { waiting: true, kind: 'financing', q: '', cursor: undefined, limit: 20 },
      expect.anything(),
    )
    await vi.waitFor(() => expect(wrapper.text()).toContain('烘焙贷'))
    expect(wrapper.text()).toContain('待终审')
  })
})

describe('WaitingCard', () => {
  it('speaks to a reviewer and to an institution', async () => {
    vi.spyOn(api, 'listProducts').mockResolvedValue({ items: [] })
    const reviewer = await open(WaitingCard, {}, '/product-reviews', ['product.review_platform'])
    expect(reviewer.wrapper.text()).toContain('没有等您审核的产品')
    const operator = await open(WaitingCard, {}, '/my-products', ['product.edit'])
    expect(operator.wrapper.text()).toContain('没有待完善的产品')
  })
})

describe('ProductForm', () => {
  it('saves first, then submits, and saves again as the same product when the submission lacks something', async () => {
    const draft = vi.spyOn(api, 'draftProduct').mockResolvedValue({ ...product, id: 9, version: 1 })
    const edit = vi.spyOn(api, 'editProduct').mockResolvedValue({ ...product, id: 9, version: 2 })
    const incomplete = new ApiError({
      status: 422,
      code: 'REQUIRED',
      message: '请填写适用对象',
      fields: [{ field: 'target', message: '请填写适用对象' }],
    })
    const act = vi
      .spyOn(api, 'act')
      .mockRejectedValueOnce(incomplete)
      .mockResolvedValue({ ...product, id: 9, version: 3, status: 'platform_review' })
    const { wrapper, router } = await open(ProductForm, {}, '/products/new')
    press('提交审核')
    await flushPromises()
    expect(draft).not.toHaveBeenCalled()
    await vi.waitFor(() => expect(wrapper.text()).toContain('请填写产品名称'))

    await wrapper.get('input[aria-label="产品名称"]').setValue('烘焙贷')
    wrapper.findAllComponents({ name: 'ElSelect' })[0]!.vm.$emit('update:modelValue', 'legal')
    press('提交审核')
    await flushPromises()
    await vi.waitFor(() => expect(wrapper.text()).toContain('草稿已保存，还有 1 处需要填写'))
    await vi.waitFor(() => expect(wrapper.text()).toContain('请填写适用对象'))

    await wrapper.get('input[aria-label="适用对象"]').setValue('面包房')
    press('提交审核')
    await flushPromises()
    expect(draft).toHaveBeenCalledTimes(1)
    expect(edit.mock.calls[0]![0]).toBe(9)
    expect(edit.mock.calls[0]![1]).toMatchObject({ version: 1, content: { target: '面包房' } })
    expect(act.mock.calls[1]!.slice(1, 3)).toEqual(['submit', {}])
    expect(act.mock.calls[0]![3]).not.toBe(act.mock.calls[1]![3])
    await vi.waitFor(() => expect(router.currentRoute.value.path).toBe('/products/9'))
  })
  it('opens what was returned with its reason', async () => {
    const returned = { ...product, status: 'returned' as const, reason: '利率不一致', actions: ['edit' as const] }
    vi.spyOn(api, 'getProduct').mockResolvedValue(returned)
    const { wrapper } = await open(ProductForm, {}, '/products/3/edit')
    expect(wrapper.text()).toContain('利率不一致')
    expect(wrapper.get<HTMLInputElement>('input[aria-label="产品名称"]').element.value).toBe('烘焙贷')
  })
  it('does not open what may not be edited', async () => {
    vi.spyOn(api, 'getProduct').mockResolvedValue(product)
    const { wrapper } = await open(ProductForm, {}, '/products/3/edit')
    expect(wrapper.text()).toContain('当前状态不能修改')
    expect(wrapper.find('form').exists()).toBe(false)
  })
})
