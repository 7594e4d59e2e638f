import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { ApiError } from '@/api/client'
import type { Session } from '@/api/identity'
import { useSession } from '@/stores/session'
import * as api from './api'
import { checkPartner, fieldsOf, lines, valuesOf } from './checks'
import DeliveryList from './DeliveryList.vue'
import DeliveryPage from './DeliveryPage.vue'
import { attemptNote, attemptTitle, grouped, many, pretty, standing, wordsOf } from './labels'
import PartnerForm from './PartnerForm.vue'
import PartnerList from './PartnerList.vue'
import PartnerPage from './PartnerPage.vue'
import routes from './routes'
import TroubleCard from './TroubleCard.vue'

const partner: api.Partner = {
  id: 4,
  code: 'city-hotline',
  name: '市级热线平台',
  note: '',
  url: 'https://city.example/events',
  allowCidrs: ['10.20.0.0/16'],
  events: ['ticket.closed'],
  fields: ['ticket.title'],
  showNames: false,
  state: 'active',
  down: false,
  callsPerMinute: 120,
  callsPerDay: 20000,
  version: 3,
  createdAt: '2026-11-22T01:30:00Z',
  updatedAt: '2026-11-22T01:30:00Z',
  updatedBy: '孙倩',
  oldest: '2026-11-22T01:30:00Z',
  waiting: 1000,
  failed: 2,
  dead: 1,
  delivered: 12,
}
const offer: api.Offer = {
  topics: [
    { type: 'ticket.opened', label: '工单受理', group: '工单' },
    { type: 'ticket.closed', label: '工单办结', group: '工单' },
    { type: 'application.accepted', label: '申请受理', group: '申请' },
  ],
  fields: [
    { object: 'ticket', key: 'title', label: '标题', kind: 'plain', standard: true },
    { object: 'application', key: 'productName', label: '产品名称', kind: 'plain', standard: true },
  ],
  standard: ['ticket.title', 'application.productName'],
}
const delivery: api.Delivery = {
  id: 8,
  partnerId: 4,
  partnerName: '市级热线平台',
  messageId: 'evt_77_city-hotline',
  type: 'ticket.closed',
  typeLabel: '工单办结',
  subject: 'GD20261122-000003',
  seq: 5,
  state: 'dead',
  attempts: 2,
  status: 422,
  reason: '对方返回 422，对方认为内容不合格',
  waits: false,
  createdAt: '2026-11-22T01:30:00Z',
  body: '{"id":"evt_77_city-hotline","data":{"title":"<b>路灯</b>"}}',
  receipt: '',
  history: [
    {
      id: 1,
      kind: 'push',
      number: 1,
      at: '2026-11-22T01:30:01Z',
      tookMs: 35,
      status: 422,
      ok: false,
      reason: '对方返回 422，对方认为内容不合格',
      actor: '',
    },
  ],
  actions: ['replay', 'skip'],
}

async function open(component: object, at: string) {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: routes.map((r) => ({ path: `/${r.path}`, name: r.name, component: { template: '<i/>' } })),
  })
  await router.push(at)
  const pinia = createPinia()
  setActivePinia(pinia)
  useSession().current = { signedIn: true, permissions: ['exchange.view', 'exchange.manage'] } as Session
  const wrapper = mount(component, { global: { plugins: [router, pinia] }, attachTo: document.body })
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
  document.body.innerHTML = ''
  vi.spyOn(api, 'getOffer').mockResolvedValue(offer)
})
afterEach(() => {
  vi.restoreAllMocks()
})

describe('labels', () => {
  it('says in one word how a partner stands', () => {
    expect(standing(partner)).toBe('active')
    expect(standing({ ...partner, down: true })).toBe('down')
    expect(standing({ ...partner, state: 'paused', down: true })).toBe('paused')
    expect(standing({ ...partner, url: '', state: 'paused' })).toBe('pull')
  })
  it('bounds counters', () => {
    expect([many(0), many(999), many(1000)]).toEqual(['0', '999', '999+'])
  })
  it('tells what became of an attempt', () => {
    const a = delivery.history[0]!
    expect(attemptTitle(a)).toBe('第 1 次推送，未送达')
    expect(attemptNote(a)).toBe('对方返回 422，对方认为内容不合格，用时 35 毫秒')
    expect(attemptTitle({ ...a, kind: 'skip' })).toBe('跳过推送')
    expect(attemptTitle({ ...a, kind: 'lost' })).toContain('结果未知')
    expect(attemptNote({ ...a, kind: 'replay', reason: '对方已修复' })).toBe('对方已修复')
  })
  it('groups topics and names what it does not know as it is', () => {
    expect(grouped(offer.topics).map((g) => [g.group, g.topics.length])).toEqual([
      ['工单', 2],
      ['申请', 1],
    ])
    expect(wordsOf(['a', 'b'], new Map([['a', '甲']]))).toEqual(['甲', 'b'])
  })
  it('shows a body that is no JSON as it is', () => {
    expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}')
    expect(pretty('oops')).toBe('oops')
  })
})

describe('checkPartner', () => {
  const good = { ...valuesOf(partner, []) }
  it('lets a complete partner pass', () => expect(checkPartner(good)).toEqual({}))
  it.each([
    ['name', ' '],
    ['code', 'City Hotline'],
    ['url', 'city.example'],
    ['events', []],
  ])('refuses a wrong %s', (field, value) => {
    expect(Object.keys(checkPartner({ ...good, [field]: value }))).toEqual([field])
  })
  it('reads networks however they are separated', () => {
    expect(lines('10.0.0.0/8\n 10.1.0.0/16，10.2.0.0/16;')).toEqual(['10.0.0.0/8', '10.1.0.0/16', '10.2.0.0/16'])
    expect(fieldsOf({ ...good, networks: '' }).allowCidrs).toEqual([])
  })
})

describe('PartnerList', () => {
  it('asks for what the address says and shows how partners stand', async () => {
    const load = vi.spyOn(api, 'listPartners').mockResolvedValue({ items: [{ ...partner, down: true }] })
    const { wrapper } = await open(PartnerList, '/exchange/partners?state=active')
    expect(load).toHaveBeenCalledWith({ state: 'active', cursor: undefined, limit: 20 }, expect.anything())
    await vi.waitFor(() => expect(wrapper.text()).toContain('连续失败'))
    expect(wrapper.text()).toContain('999+')
    expect(wrapper.text()).toContain('新增对接方')
  })
})

describe('TroubleCard', () => {
  it('shows who is down or has stopped deliveries, with the way to them', async () => {
    const load = vi.spyOn(api, 'listPartners').mockResolvedValue({
      items: [
        { ...partner, dead: 3 },
        { ...partner, id: 5, name: '市级数据平台', down: true, dead: 0, failed: 7 },
        { ...partner, id: 6, name: '正常的一方', dead: 0 },
        { ...partner, id: 7, name: '暂停的一方', dead: 0, down: true, state: 'paused' },
      ],
    })
    const { wrapper } = await open(TroubleCard, '/exchange/partners')
    expect(load).toHaveBeenCalledWith({ limit: 100 }, expect.anything())
    expect(wrapper.findAll('li').map((li) => li.text().replace(/\s+/g, ' '))).toEqual([
      expect.stringMatching(/^市级热线平台 ?已停止 3 条$/),
      expect.stringMatching(/^市级数据平台 ?连续失败 ?等待重试 7 条$/),
    ])
    expect(wrapper.findAll('a.count').map((a) => a.attributes('href'))).toEqual([
      '/exchange/deliveries?partner=4&state=dead',
      '/exchange/deliveries?partner=5&state=failed',
    ])
  })
  it('says when all is well', async () => {
    vi.spyOn(api, 'listPartners').mockResolvedValue({ items: [{ ...partner, dead: 0 }] })
    const { wrapper } = await open(TroubleCard, '/exchange/partners')
    expect(wrapper.text()).toContain('各对接方推送正常')
  })
})

describe('PartnerPage', () => {
  it('pauses after a question, with the version that was seen', async () => {
    vi.spyOn(api, 'getPartner').mockResolvedValue(partner)
    const act = vi.spyOn(api, 'actOn').mockResolvedValue({ ...partner, state: 'paused' })
    const { wrapper } = await open(PartnerPage, '/exchange/partners/4')
    expect(wrapper.text()).toContain('工单办结')
    expect(wrapper.text()).toContain('工单 · 标题')
    press('暂停推送')
    await flushPromises()
    expect(act).not.toHaveBeenCalled()
    press('暂停推送')
    await flushPromises()
    expect(act).toHaveBeenCalledWith(partner, 'pause', expect.any(String))
  })
  it('shows a new secret until it is put away', async () => {
    vi.spyOn(api, 'getPartner').mockResolvedValue(partner)
    vi.spyOn(api, 'actOn').mockResolvedValue({ ...partner, secret: 'whsec_new' })
    await open(PartnerPage, '/exchange/partners/4')
    press('更换签名密钥')
    await flushPromises()
    press('更换密钥')
    await flushPromises()
    await vi.waitFor(() => expect(document.body.textContent).toContain('whsec_new'))
  })
  it('lists keys on the tab the address names', async () => {
    vi.spyOn(api, 'getPartner').mockResolvedValue(partner)
    const key = {
      id: 2,
      partnerId: 4,
      name: '生产环境',
      start: 'hqk_ab12cd',
      scopes: ['open.events'],
      createdAt: '2026-11-22T01:30:00Z',
      createdBy: '孙倩',
      revokedBy: '',
    }
    vi.spyOn(api, 'listKeys').mockResolvedValue({ items: [key] })
    const { wrapper } = await open(PartnerPage, '/exchange/partners/4?tab=keys')
    await vi.waitFor(() => expect(wrapper.text()).toContain('hqk_ab12cd'))
    expect(wrapper.text()).toContain('尚未使用')
  })
  it('says that a missing partner was not found', async () => {
    vi.spyOn(api, 'getPartner').mockRejectedValue(new ApiError({ status: 404, code: 'NOT_FOUND', message: '没有找到' }))
    const { wrapper } = await open(PartnerPage, '/exchange/partners/99')
    expect(wrapper.text()).toContain('没有找到')
  })
})

describe('PartnerForm', () => {
  it('begins a new partner with the standard fields and shows its secret once', async () => {
    const create = vi.spyOn(api, 'createPartner').mockResolvedValue({ ...partner, secret: 'whsec_one' })
    const { wrapper, router } = await open(PartnerForm, '/exchange/partners/new')
    press('新增对接方')
    await vi.waitFor(() => expect(wrapper.text()).toContain('请填写对接方名称'))
    expect(create).not.toHaveBeenCalled()
    await wrapper.get('input[aria-label="名称"]').setValue('市级热线平台')
    await wrapper.get('input[aria-label="代码"]').setValue('city-hotline')
    await wrapper.get('input[value="ticket.closed"]').setValue(true)
    press('新增对接方')
    await flushPromises()
    expect(create).toHaveBeenCalledWith(
      expect.objectContaining({ code: 'city-hotline', events: ['ticket.closed'], fields: offer.standard }),
      expect.any(String),
    )
    await vi.waitFor(() => expect(document.body.textContent).toContain('whsec_one'))
    expect(router.currentRoute.value.name).toBe('exchange-partner-new')
  })
  it('puts what the server says on its field', async () => {
    vi.spyOn(api, 'getPartner').mockResolvedValue(partner)
    vi.spyOn(api, 'updatePartner').mockRejectedValue(
      new ApiError({ status: 422, code: 'URL', message: '有误', fields: [{ field: 'url', message: '是内网地址' }] }),
    )
    const { wrapper } = await open(PartnerForm, '/exchange/partners/4/edit')
    press('保存修改')
    await vi.waitFor(() => expect(wrapper.text()).toContain('是内网地址'))
  })
})

describe('deliveries', () => {
  it('lists by what the address says', async () => {
    vi.spyOn(api, 'listPartners').mockResolvedValue({ items: [partner] })
    const load = vi.spyOn(api, 'listDeliveries').mockResolvedValue({ items: [delivery] })
    const { wrapper } = await open(DeliveryList, '/exchange/deliveries?partner=4&state=dead&subject=GD20261122-000003')
    expect(load).toHaveBeenCalledWith(
      { partner: '4', state: 'dead', subject: 'GD20261122-000003', cursor: undefined, limit: 20 },
      expect.anything(),
    )
    await vi.waitFor(() => expect(wrapper.text()).toContain('对方认为内容不合格'))
    expect(wrapper.text()).toContain('对接方：市级热线平台')
  })
  it('is pushed again only with a reason', async () => {
    vi.spyOn(api, 'getDelivery').mockResolvedValue(delivery)
    const decide = vi.spyOn(api, 'decide').mockResolvedValue({ ...delivery, state: 'queued' })
    const { wrapper } = await open(DeliveryPage, '/exchange/deliveries/8')
    expect(wrapper.text()).toContain('推送已停止')
    expect(wrapper.text()).toContain('<b>路灯</b>')
    press('重推')
    await flushPromises()
    press('重新推送')
    await flushPromises()
    expect(decide).not.toHaveBeenCalled()
    press('对方系统已修复')
    await flushPromises()
    press('重新推送')
    await flushPromises()
    expect(decide).toHaveBeenCalledWith(8, 'replay', '对方系统已修复', expect.any(String))
  })
})
