import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Component } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { useSession } from '@/stores/session'
import * as api from './api'
import ChannelDialog from './ChannelDialog.vue'
import ChannelOrigin from './ChannelOrigin.vue'
import PrintPage from './PrintPage.vue'
import StatsPage from './StatsPage.vue'

const channel: api.Channel = {
  id: 7,
  version: 3,
  code: 'ABC234',
  link: 'https://hq.example.gov.cn/c/ABC234',
  name: '一号海报',
  kind: 'poster',
  owner: '',
  landing: '/',
  from: '',
  to: '',
  on: true,
  state: 'live',
  by: '运营',
  at: '2026-11-30T02:00:00Z',
}
const line = (key: string, name: string, visitors: number, registrations: number): api.Line => ({
  key,
  name,
  kindName: '海报',
  visits: visitors,
  visitors,
  registrations,
  verified: 0,
  applications: 0,
  approved: 0,
  conversion: visitors ? Math.floor((registrations * 10000) / visitors) : -1,
})

let permissions: string[] = []
async function show(page: Component, path: string, props: Record<string, unknown> = {}) {
  const empty = { template: '<i />' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: ['channels', 'channel-stats', 'channel-print', 'exports'].map((name) => ({
      path: `/${name}`,
      name,
      component: empty,
    })),
  })
  await router.push(path)
  const pinia = createPinia()
  const session = useSession(pinia)
  vi.spyOn(session, 'can').mockImplementation((p: string) => permissions.includes(p))
  const wrapper = mount(page, { props, attachTo: document.body, global: { plugins: [router, pinia] } })
  await flushPromises()
  return { wrapper, router }
}

beforeEach(() => {
  vi.restoreAllMocks()
  document.body.innerHTML = ''
  permissions = ['channel.view', 'channel.manage']
  vi.spyOn(api, 'getOptions').mockResolvedValue({
    kinds: [{ value: 'poster', label: '海报' }],
    landings: [{ value: '/', label: '门户首页' }],
  })
})

describe('words and numbers', () => {
  it('numbers a series so that it sorts', () => {
    expect(api.numbered(' 海报 ', 1)).toEqual(['海报'])
    expect(api.numbered('海报', 3)).toEqual(['海报1', '海报2', '海报3'])
    expect(api.numbered('海报', 30)[0]).toBe('海报01')
    expect(api.numbered('海报', 30)[29]).toBe('海报30')
  })
  it('says shares and days', () => {
    expect(api.percent(-1)).toBe('—')
    expect(api.percent(1250)).toBe('12.5%')
    expect(api.period({ from: '', to: '' })).toBe('长期')
    expect(api.period({ from: '', to: '2026-12-31' })).toBe('即日 至 2026-12-31')
  })
})

describe('the dialog', () => {
  it('makes a numbered series with one key, and asks for a name first', async () => {
    const create = vi.spyOn(api, 'createChannels').mockResolvedValue({ items: [] })
    const { wrapper } = await show(ChannelDialog, '/channels')
    const press = async () => {
      const button = [...document.querySelectorAll('button')].find((b) => b.textContent?.trim() === '新建')!
      button.click()
      await flushPromises()
    }
    await press()
    expect(create).not.toHaveBeenCalled()
    expect(document.querySelector('.el-form-item.is-error')?.textContent).toContain('渠道名称')
    const name = document.querySelector<HTMLInputElement>('input[aria-label="渠道名称"]')!
    name.value = '海报'
    name.dispatchEvent(new Event('input'))
    const count = document.querySelector<HTMLInputElement>('.el-input-number input')!
    count.value = '12'
    count.dispatchEvent(new Event('change'))
    await flushPromises()
    expect(document.body.textContent).toContain('海报01 至 海报12')
    await press()
    expect(create).toHaveBeenCalledOnce()
    expect(create.mock.calls[0]![0]).toHaveLength(12)
    expect(create.mock.calls[0]![1]).toMatchObject({ kind: 'poster', landing: '/', on: true })
    expect(wrapper.emitted('saved')).toHaveLength(1)
  })
  it('keeps a change on the version that was seen', async () => {
    const update = vi.spyOn(api, 'updateChannel').mockResolvedValue(channel)
    await show(ChannelDialog, '/channels', { channel })
    ;[...document.querySelectorAll('button')].find((b) => b.textContent?.trim() === '保存')!.click()
    await flushPromises()
    expect(update).toHaveBeenCalledWith(channel, '一号海报', expect.objectContaining({ on: true, from: '', to: '' }))
  })
})

describe('the statistics', () => {
  it('shows lines and the totals of the server, and sorts on it', async () => {
    const get = vi.spyOn(api, 'getStats').mockResolvedValue({
      from: '2026-11-01',
      to: '2026-11-30',
      lines: [line('7', '一号海报', 8, 1), line('8', '二号海报', 0, 0)],
      total: line('', '合计', 7, 1),
    })
    const { wrapper, router } = await show(StatsPage, '/channel-stats?from=2026-11-01')
    expect(get.mock.calls[0]![0]).toMatchObject({ group: 'channel', from: '2026-11-01', sort: 'registrations' })
    expect(wrapper.text()).toContain('12.5%')
    expect(wrapper.text()).toContain('—')
    expect(wrapper.text()).toContain('14.3%') // of the total's own visitors, not of the sum
    wrapper.getComponent({ name: 'ElTable' }).vm.$emit('sort-change', { prop: 'visits', order: 'ascending' })
    await flushPromises()
    expect(router.currentRoute.value.query).toMatchObject({ sort: 'visits', ascending: 'true', from: '2026-11-01' })
    expect(get.mock.calls.at(-1)![0]).toMatchObject({ sort: 'visits', ascending: true })
  })
})

describe('the print page', () => {
  it('has a page for each channel', async () => {
    vi.spyOn(api, 'getChannel').mockImplementation((id) =>
      Promise.resolve({ ...channel, id: Number(id), name: `海报${id}` }),
    )
    const { wrapper } = await show(PrintPage, '/channel-print?ids=7,8')
    expect(wrapper.findAll('img').map((i) => i.attributes('src'))).toEqual([
      '/api/channels/7/qr.svg',
      '/api/channels/8/qr.svg',
    ])
    expect(wrapper.text()).toContain('海报8')
  })

  it('says what to choose when nothing was', async () => {
    const get = vi.spyOn(api, 'getChannel')
    const { wrapper } = await show(PrintPage, '/channel-print')
    expect(wrapper.text()).toContain('请在渠道列表勾选要打印的渠道')
    expect(get).not.toHaveBeenCalled()
  })
})

describe('the channel of an application', () => {
  const origin = {
    channelId: 7,
    code: 'ABC234',
    name: '一号海报',
    kindName: '海报',
    how: 'registration' as const,
    touchedAt: '2026-11-30T02:00:00Z',
  }
  it('is shown to who may see channels', async () => {
    const get = vi.spyOn(api, 'getOrigin').mockResolvedValue([origin])
    const { wrapper } = await show(ChannelOrigin, '/channels', { id: 3 })
    expect(wrapper.text()).toContain('一号海报')
    expect(wrapper.text()).toContain('企业注册时的渠道')
    expect(get).toHaveBeenCalledOnce()
  })
  it('is not asked for by others', async () => {
    permissions = []
    const get = vi.spyOn(api, 'getOrigin').mockResolvedValue([origin])
    const { wrapper } = await show(ChannelOrigin, '/channels', { id: 3 })
    expect(wrapper.text()).toBe('')
    expect(get).not.toHaveBeenCalled()
  })
})
