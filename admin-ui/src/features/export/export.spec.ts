import { flushPromises, mount } from '@vue/test-utils'
import ElementPlus from 'element-plus'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { useSession } from '@/stores/session'
import * as api from './api'
import ExportButton from './ExportButton.vue'
import { filtersOf, moving, percent } from './labels'

afterEach(() => vi.restoreAllMocks())

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
