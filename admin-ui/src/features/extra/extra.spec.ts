import { createPinia } from 'pinia'
import { createMemoryHistory, createRouter } from 'vue-router'
import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { asks, fieldsOf, newDefinition, type ExtraDefinition } from './api'
import * as api from './api'
import DefinitionDialog from './DefinitionDialog.vue'

const pledge: ExtraDefinition = {
  subject: 'application',
  field: { key: 'pledge', label: '抵押物类型', kind: 'choice', options: ['房产', '设备'] },
  kinds: ['mortgage'],
  audience: 'everyone',
  sort: 20,
  retired: false,
  version: 3,
  updatedAt: '2026-11-30T02:00:00Z',
  updatedBy: '运营',
}

beforeEach(() => {
  document.body.innerHTML = ''
})
afterEach(() => {
  vi.restoreAllMocks()
})

describe('definitions', () => {
  it('are asked of their kinds only', () => {
    expect(asks(pledge, 'financing', 'mortgage')).toBe(true)
    expect(asks(pledge, 'financing', 'debt')).toBe(false)
    expect(asks(pledge, 'legal', '')).toBe(false)
    expect(asks({ ...pledge, kinds: [] }, 'legal', '')).toBe(true)
    expect(asks({ ...pledge, kinds: ['legal'] }, 'legal', '')).toBe(true)
  })
  it('are told apart by their subject, the retired ones left out', () => {
    const all = [pledge, { ...pledge, retired: true }, { ...pledge, subject: 'product' as const }]
    expect(fieldsOf(all, 'application')).toEqual([pledge])
    expect(fieldsOf(all, 'product')).toHaveLength(1)
  })
  it('begin with a key that no other of the subject has, behind the others', () => {
    const taken = { ...pledge, field: { ...pledge.field, key: 'field2' } }
    expect(newDefinition([taken], 'application')).toMatchObject({ field: { key: 'field3' }, sort: 30, version: 0 })
    expect(newDefinition([taken], 'product')).toMatchObject({ field: { key: 'field1' }, sort: 10 })
  })
  it('are saved with what was seen; what is refused stands at its input', async () => {
    const save = vi.spyOn(api, 'saveDefinition').mockResolvedValue([pledge])
    const wrapper = mount(DefinitionDialog, {
      props: { definition: pledge, kinds: [{ code: 'mortgage', name: '抵押融资' }] },
      global: {
        plugins: [createPinia(), createRouter({ history: createMemoryHistory(), routes: [] })],
      },
      attachTo: document.body,
    })
    await flushPromises()
    const text = document.body.textContent ?? ''
    for (const part of ['修改申请字段：抵押物类型', '企业填写，双方可见', '机构填写，企业不可见', '停用'])
      expect(text).toContain(part)
    const button = Array.from(document.querySelectorAll<HTMLElement>('button')).find(
      (b) => b.textContent?.trim() === '保存',
    )
    button!.click()
    await flushPromises()
    expect(save).toHaveBeenCalledWith(expect.objectContaining({ version: 3, kinds: ['mortgage'] }), expect.any(String))
    expect(wrapper.emitted('saved')).toHaveLength(1)
  })
})
