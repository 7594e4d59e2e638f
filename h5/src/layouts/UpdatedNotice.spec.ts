import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { watchParts } from '@/composables/useUpdated'
import UpdatedNotice from './UpdatedNotice.vue'

type Failed = (error: unknown, to: { fullPath: string }) => void

let page: VueWrapper
let failed: Failed
const index = (entry: string) => `<!doctype html><script type="module" src="/m/assets/${entry}.js"></script>`
const gone = new TypeError(
  'Failed to fetch dynamically imported module: http://localhost/m/assets/TicketList-a1.js',
)

beforeEach(() => {
  const script = document.createElement('script')
  script.setAttribute('src', '/m/assets/index-old.js')
  vi.spyOn(document, 'querySelector').mockReturnValueOnce(script)
  watchParts(
    { onError: (on: Failed) => (failed = on), resolve: (to: string) => ({ href: `/m${to}` }) },
    '/m/',
  )
  page = mount(UpdatedNotice)
})
afterEach(async () => {
  const later = page.findAll('button').find((b) => b.text() === '暂不刷新')
  await later?.trigger('click')
  page.unmount()
})

it('says that the system was updated, and loads nothing by itself', async () => {
  const assign = vi.spyOn(window.location, 'assign').mockImplementation(() => undefined)
  const reload = vi.spyOn(window.location, 'reload').mockImplementation(() => undefined)
  vi.stubGlobal(
    'fetch',
    vi.fn(() => Promise.resolve(new Response(index('index-new')))),
  )
  failed(gone, { fullPath: '/tickets?state=open' })
  await flushPromises()
  expect(page.get('[role=alert]').text()).toContain('系统已更新，请刷新页面')
  expect(assign).not.toHaveBeenCalled()
  expect(reload).not.toHaveBeenCalled()
  await page
    .findAll('button')
    .find((b) => b.text() === '刷新页面')!
    .trigger('click')
  expect(assign).toHaveBeenCalledWith('/m/tickets?state=open')
})

it('lets somebody go on writing, and says it again at the next part that does not come', async () => {
  const reload = vi.spyOn(window.location, 'reload').mockImplementation(() => undefined)
  vi.stubGlobal(
    'fetch',
    vi.fn(() => Promise.resolve(new Response(index('index-new')))),
  )
  window.dispatchEvent(new Event('vite:preloadError'))
  await flushPromises()
  await page
    .findAll('button')
    .find((b) => b.text() === '暂不刷新')!
    .trigger('click')
  expect(page.find('[role=alert]').exists()).toBe(false)
  window.dispatchEvent(new Event('vite:preloadError'))
  await flushPromises()
  await page
    .findAll('button')
    .find((b) => b.text() === '刷新页面')!
    .trigger('click')
  expect(reload).toHaveBeenCalledOnce()
})

it.each([
  ['the line is down', () => Promise.reject(new TypeError('offline')), '网络不可用'],
  ['the version is the same', () => Promise.resolve(new Response(index('index-old'))), '内容没有加载出来'],
  ['the server is ill', () => Promise.resolve(new Response('', { status: 503 })), '内容没有加载出来'],
])('%s: it does not speak of an update', async (_, answer, says) => {
  vi.stubGlobal('fetch', vi.fn(answer))
  failed(gone, { fullPath: '/' })
  await flushPromises()
  expect(page.get('[role=alert]').text()).toContain(says)
  expect(page.text()).not.toContain('已更新')
})

it('leaves other errors alone', async () => {
  failed(new Error('boom'), { fullPath: '/' })
  await flushPromises()
  expect(page.find('[role=alert]').exists()).toBe(false)
})
