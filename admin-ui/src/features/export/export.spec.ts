import { flushPromises, mount } from '@vue/test-utils'
import ElementPlus from 'element-plus'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { useSession } from '@/stores/session'
import * as api from './api'
import ExportButton from './ExportButton.vue'
import ExportList from './ExportList.vue'
import { filtersOf, moving, percent } from './labels'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('what a list filters by', () => {
  it('joins several values and leaves out the place in the list', () => {
    expect(filtersOf({ status: ['received', 'closed'], urgency: 'urgent', cursor: '9', open: '3', q: '' })).toEqual({
      status: 'received,closed',
      urgency: 'urgent',
    })
  })
})

describe('progress', () => {
  it('never shows the end before it is there', () => {
    expect(percent({ rows: 1000, total: 1000, state: 'running' })).toBe(99)
    expect(percent({ rows: 10, total: 0, state: 'running' })).toBe(0)
    expect(percent({ rows: 10, total: 5, state: 'done' })).toBe(100)
    expect(moving({ state: 'queued' })).toBe(true)
    expect(moving({ state: 'expired' })).toBe(false)
  })
})

async function button(permissions: string[]) {
  const pinia = createPinia()
  setActivePinia(pinia)
  useSession().set({ signedIn: true, permissions, csrfToken: 't', district: '', demo: false } as never)
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/tickets', name: 'tickets', component: { template: '<div />' } },
      { path: '/exports', name: 'exports', component: { template: '<div />' } },
    ],
  })
  await router.push('/tickets?status=received&cursor=7')
  const page = mount(ExportButton, {
    props: { source: 'tickets', permission: 'ticket.export' },
    global: { plugins: [pinia, router, ElementPlus] },
    attachTo: document.body,
  })
  return { page, router }
}

describe('the button', () => {
  it('is not there without the right', async () => {
    const { page } = await button(['ticket.view'])
    expect(page.text()).toBe('')
    page.unmount()
  })

  it('asks for the purpose, sends the filters of the address, and leads to my exports', async () => {
    vi.spyOn(api, 'listSources').mockResolvedValue({
      items: [
        {
          name: 'tickets',
          title: '工单',
          columns: [
            { key: 'number', title: '工单编号', on: true },
            { key: 'phone', title: '联系电话', on: false },
          ],
        },
      ],
    })
    const create = vi.spyOn(api, 'createExport').mockResolvedValue({} as api.ExportView)
    const { page, router } = await button(['ticket.export'])
    await page.find('button').trigger('click')
    await flushPromises()
    const dialog = document.querySelector('.el-dialog')!
    const submit = [...dialog.querySelectorAll('button')].find((b) => b.textContent?.includes('开始导出'))!
    submit.click()
    await flushPromises()
    expect(create).not.toHaveBeenCalled()
    await vi.waitFor(() => expect(dialog.textContent).toContain('请填写导出用途'))
    const purpose = dialog.querySelector<HTMLInputElement>('input[aria-label="用途"]')!
    purpose.value = '月度通报'
    purpose.dispatchEvent(new Event('input'))
    submit.click()
    await flushPromises()
    expect(create.mock.calls[0]![0]).toEqual({
      source: 'tickets',
      format: 'xlsx',
      columns: ['number'],
      purpose: '月度通报',
      filters: { status: 'received' },
    })
    expect(router.currentRoute.value.name).toBe('exports')
    page.unmount()
  })
})

describe('my exports', () => {
  it('shows how far a file is, asks again while it moves, and offers it when it is whole', async () => {
    vi.useFakeTimers()
    const file = {
      id: 5,
      source: 'tickets',
      sourceTitle: '工单',
      format: 'xlsx',
      fileName: '工单_20261127_1405.xlsx',
      purpose: '月度通报',
      columns: ['工单编号'],
      filterText: '',
      message: '',
      downloads: 0,
      size: 0,
      createdAt: '2026-11-27T06:05:00Z',
    }
    const asked = vi.spyOn(api, 'listExports')
    for (const now of [
      { state: 'queued', rows: 0, total: 0 },
      { state: 'running', rows: 120, total: 480 },
      { state: 'running', rows: 360, total: 480 },
      { state: 'done', rows: 480, total: 480, size: 20480 },
    ])
      asked.mockResolvedValueOnce({ items: [{ ...file, ...now }] } as never)
    const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/', component: ExportList }] })
    await router.push('/')
    const page = mount(ExportList, { global: { plugins: [createPinia(), router, ElementPlus] } })
    const bar = () => page.find('.el-table [role="progressbar"]')
    const next = async () => {
      await vi.advanceTimersByTimeAsync(2000)
      await flushPromises()
    }
    await vi.advanceTimersByTimeAsync(0)
    await flushPromises()
    expect(page.text()).toContain('排队中')
    expect(bar().classes()).toContain('el-progress')
    await next()
    expect(bar().attributes('aria-valuenow')).toBe('25')
    expect(page.text()).toContain('120 行，共约 480 行')
    expect(page.find('a[download]').exists()).toBe(false)
    await next()
    expect(bar().attributes('aria-valuenow')).toBe('75')
    await next()
    expect(bar().exists()).toBe(false)
    expect(page.text()).toContain('480 行')
    expect(page.text()).toContain('已完成')
    expect(page.find('a[download]').attributes('href')).toContain('/api/exports/5/file')
    await vi.advanceTimersByTimeAsync(20_000)
    expect(asked).toHaveBeenCalledTimes(4)
    page.unmount()
  })
})
