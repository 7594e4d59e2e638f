import { flushPromises, mount } from '@vue/test-utils'
import ElementPlus from 'element-plus'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ApiError } from '@/api/client'
import * as api from './api'
import { complaints, percent } from './labels'
import MapColumns from './MapColumns.vue'

afterEach(() => vi.restoreAllMocks())

const field = (key: string, title: string, required: boolean) => ({
  key,
  title,
  required,
  kind: 'line' as const,
  help: '',
  example: '',
})

const target: api.ImportTarget = {
  name: 'enterprises',
  title: '企业名录',
  note: '',
  keyTitle: '统一社会信用代码',
  fields: [
    field('name', '企业名称', true),
    field('creditCode', '统一社会信用代码', true),
    field('region', '所在街道（镇）', false),
  ],
  updates: true,
  maxRows: 50000,
  hasResult: false,
}

const view = {
  id: 3,
  state: 'mapping',
  duplicates: 'skip',
  sheet: 0,
  head: 2,
  columns: {},
  sheets: [
    {
      index: 0,
      name: 'Sheet1',
      rows: 2,
      head: 2,
      heads: ['单位名称', '代码', '备注'],
      sample: [['甲', '91', '']],
      first: [{ number: 2, cells: ['单位名称', '代码', '备注'] }],
      skipped: false,
      suggested: { name: 0 },
    },
    { index: 1, name: '隐藏', rows: 0, head: 0, heads: [], sample: [], first: [], skipped: true, suggested: {} },
  ],
} as unknown as api.ImportView

describe('the choice of columns', () => {
  it('names what is missing and what is chosen twice', () => {
    expect(complaints(target, { name: 0 })).toEqual({ creditCode: '请选择“统一社会信用代码”对应的列' })
    expect(complaints(target, { name: 0, creditCode: 0 })).toEqual({ creditCode: '与“企业名称”选了同一列' })
    expect(complaints(target, { name: 0, creditCode: 1 })).toEqual({})
  })

  it('is not sent before it is whole, and shows what the server says', async () => {
    const send = vi
      .spyOn(api, 'mapImport')
      .mockRejectedValue(new ApiError({ status: 409, code: 'IMPORT_BUSY', message: '您有一项导入正在进行' }))
    const page = mount(MapColumns, { props: { view, target }, global: { plugins: [ElementPlus] } })
    expect(page.text()).toContain('隐藏或空白的工作表不导入：隐藏')
    await page.find('form').trigger('submit')
    await flushPromises()
    expect(send).not.toHaveBeenCalled()
    expect(page.text()).toContain('请选择“统一社会信用代码”对应的列')
    const whole = { ...view, columns: { name: 0, creditCode: 1 } } as api.ImportView
    const next = mount(MapColumns, { props: { view: whole, target }, global: { plugins: [ElementPlus] } })
    await next.find('form').trigger('submit')
    await flushPromises()
    expect(send.mock.calls[0]![1]).toEqual({
      sheet: 0,
      head: 2,
      columns: { name: 0, creditCode: 1 },
      duplicates: 'skip',
    })
    expect(next.text()).toContain('您有一项导入正在进行')
    expect(next.emitted('mapped')).toBeUndefined()
  })
})

describe('progress', () => {
  it('belongs to the step that is under way', () => {
    const at = (over: Partial<api.ImportItem>) => percent({ ...view, ...over } as api.ImportItem)
    expect(at({ state: 'reading', total: 200, read: 50 })).toBe(25)
    expect(at({ state: 'publishing', good: 10, known: 0, created: 10, updated: 0, skipped: 0, refused: 0 })).toBe(99)
    expect(at({ state: 'done', good: 10, known: 0, created: 9, updated: 0, skipped: 0, refused: 1 })).toBe(100)
  })
})
