import { flushPromises, mount } from '@vue/test-utils'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter, type RouteRecordRaw } from 'vue-router'

import { ApiError } from '@/api/error'

import * as api from './api'
import { amounts, kinds, known, sorts } from './choices'
import ProductDetail from './ProductDetail.vue'
import ProductList from './ProductList.vue'
import SuitablePage from './SuitablePage.vue'

const card: api.ProductCard = {
  id: 3,
  name: '小店安心贷',
  kind: 'financing',
  kindName: '融资服务',
  financingKind: 'debt',
  financingName: '债权融资',
  summary: '面向街边小店的信用贷款',
  target: '小店',
  institutionId: 1,
  institutionName: '运河银行',
  facts: [
    { label: '年利率', value: '3.65%–4.35%' },
    { label: '额度', value: '1–50 万元' },
  ],
  recommended: true,
  hot: false,
  rating: 486,
  ratingCount: 12,
  listedAt: '2026-11-22T01:30:00Z',
}
const detail: api.ProductDetail = {
  ...card,
  edition: 1,
  description: '第一行\n<script>alert(1)</script>',
  subsidy: '',
  conditions: ['经营满一年'],
  deliverables: [],
  materials: ['营业执照'],
  steps: ['在线申请', '放款'],
  validUntil: '2027-06-30',
  extra: [{ label: '面向首贷户', value: '是' }],
  cover: '/products/7/files/1',
  files: [{ name: '产品手册.pdf', size: 2048, url: '/products/7/files/2' }],
  institution: {
    id: 1,
    name: '运河银行',
    kindName: '银行',
    summary: '普惠金融',
    phone: '010-60000001',
    address: '运河大道1号',
  },
}

async function open(
  component: typeof ProductList | typeof ProductDetail,
  at: string,
  props = {},
  more: RouteRecordRaw[] = [],
) {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/products', name: 'products', component: page },
      { path: '/products/:id(\\d+)', name: 'product', component: page },
      ...more,
      { path: '/:missing(.*)*', name: 'missing', component: page },
    ],
  })
  await router.push(at)
  const wrapper = mount(component as typeof ProductList, {
    props,
    global: { plugins: [router] },
    attachTo: document.body,
  })
  await flushPromises()
  return { wrapper, router }
}

beforeEach(() => {
  document.body.innerHTML = ''
})

describe('choices', () => {
  it('takes from the address only what is offered', () => {
    expect(known(kinds, 'legal')).toBe('legal')
    expect(known(kinds, '<script>')).toBe('')
    expect(known(amounts, ['10-50'])).toBe('')
  })
  it('offers the orders that make sense', () => {
    expect(sorts(false, false).map((o) => o.value)).toEqual(['', 'hot', 'rating'])
    expect(sorts(true, true).map((o) => o.value)).toEqual(['', 'new', 'hot', 'rating', 'rate'])
  })
})

describe('ProductList', () => {
  it('asks for what the address says, shows it, and drops what does not belong to the kind', async () => {
    const load = vi.spyOn(api, 'listProducts').mockResolvedValue({ items: [card] })
    const { wrapper } = await open(
      ProductList,
      '/products?q=%E5%B0%8F%E5%BA%97&kind=legal&amount=10-50&sort=rate',
    )
    expect(load).toHaveBeenCalledWith(
      { q: '小店', kind: 'legal', financing: '', amount: '', sort: '' },
      undefined,
    )
    for (const part of ['小店安心贷', '运河银行', '3.65%–4.35%', '推荐', '评价 4.86 分（12 次）'])
      expect(wrapper.text()).toContain(part)
  })
  it('searches by the address, once', async () => {
    const load = vi.spyOn(api, 'listProducts').mockResolvedValue({ items: [] })
    const { wrapper, router } = await open(ProductList, '/products')
    expect(wrapper.text()).toContain('还没有上架的产品')
    await wrapper.get('input').setValue(' 烘焙贷 ')
    await wrapper.get('input').trigger('keypress', { keyCode: 13 })
    await flushPromises()
    expect(router.currentRoute.value.query).toEqual({ q: '烘焙贷' })
    expect(load).toHaveBeenCalledTimes(2)
    await wrapper.get('input').setValue('小店')
    await wrapper.get('.go').trigger('click')
    await flushPromises()
    expect(router.currentRoute.value.query).toEqual({ q: '小店' })
    expect(load).toHaveBeenCalledTimes(3)
    expect(wrapper.text()).toContain('没有符合条件的产品')
  })
  it('shows the cover at a fixed size, and the sign of the kind where there is none or it does not come', async () => {
    const covered = { ...card, id: 4, name: '有封面的产品', thumb: '/products/4/files/9/small' }
    vi.spyOn(api, 'listProducts').mockResolvedValue({ items: [card, covered] })
    const { wrapper } = await open(ProductList, '/products')
    const [plain, shown] = wrapper.findAll('.thumb')
    expect(plain!.find('img').exists()).toBe(false)
    expect(plain!.find('.van-icon-gold-coin-o').exists()).toBe(true)
    const img = shown!.get('img')
    expect(img.attributes()).toMatchObject({
      src: '/products/4/files/9/small',
      alt: '有封面的产品的封面图',
      loading: 'lazy',
      width: '400',
      height: '300',
    })
    await img.trigger('error')
    expect(shown!.find('img').exists()).toBe(false)
    expect(shown!.find('.van-icon-gold-coin-o').exists()).toBe(true)
  })
  it('says what failed and tries again', async () => {
    const load = vi.spyOn(api, 'listProducts').mockRejectedValue(new ApiError('network'))
    const { wrapper } = await open(ProductList, '/products')
    load.mockResolvedValue({ items: [card] })
    await wrapper.get('[role="alert"] button').trigger('click')
    await flushPromises()
    expect(wrapper.text()).toContain('小店安心贷')
  })
})

describe('ProductDetail', () => {
  it('shows markup as text and the way to ask', async () => {
    vi.spyOn(api, 'getProduct').mockResolvedValue(detail)
    const { wrapper } = await open(ProductDetail as typeof ProductList, '/products/3', { id: 3 })
    for (const part of [
      '<script>alert(1)</script>',
      '营业执照',
      '2027年6月30日',
      '产品手册.pdf',
      '面向首贷户',
    ])
      expect(wrapper.text()).toContain(part)
    expect(wrapper.get('a[href^="tel:"]').attributes('href')).toBe('tel:010-60000001')
    expect(wrapper.text()).not.toContain('立即申请')
  })
  it('leads on where one can apply', async () => {
    vi.spyOn(api, 'getProduct').mockResolvedValue(detail)
    const apply = {
      path: '/products/:id(\\d+)/apply',
      name: 'product-apply',
      component: { template: '<i/>' },
    }
    const { wrapper } = await open(ProductDetail as typeof ProductList, '/products/3', { id: 3 }, [apply])
    expect(wrapper.text()).toContain('立即申请')
  })
  it('says that what is not public was not found', async () => {
    vi.spyOn(api, 'getProduct').mockRejectedValue(new ApiError('not_found'))
    const { wrapper } = await open(ProductDetail as typeof ProductList, '/products/9', { id: 9 })
    expect(wrapper.text()).toContain('没有找到')
  })
})

describe('SuitablePage', () => {
  it('says why each suits and what is lacking, beside the cover or the sign of the kind', async () => {
    const thumb = '/products/4/files/9/small'
    vi.spyOn(api, 'listSuitable').mockResolvedValue({
      count: 1,
      fits: [{ ...card, id: 4, name: '有封面的产品', thumb, reasons: ['软件业', '成立满 3 年'], lacks: [] }],
      near: [{ ...card, kind: 'legal', reasons: [], lacks: ['需从业人员不少于 20 人（还差 8 人）'] }],
      open: [],
      ask: [],
    })
    const { wrapper } = await open(SuitablePage as typeof ProductList, '/products/suitable')
    const [fit, near] = wrapper.findAll('.item')
    expect(fit!.text()).toContain('适合您：软件业、成立满 3 年')
    expect(fit!.get('img').attributes()).toMatchObject({ src: thumb, alt: '有封面的产品的封面图' })
    expect(near!.text()).toContain('还差 8 人')
    expect(near!.find('img').exists()).toBe(false)
    expect(near!.find('.van-icon').exists()).toBe(true)
  })
})
