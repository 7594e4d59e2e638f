import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import ElementPlus from 'element-plus'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Session } from '@/api/identity'
import RemotePicker from '@/components/RemotePicker.vue'
import { useSession } from '@/stores/session'
import RecordDialog from './RecordDialog.vue'

const record = vi.fn<(...given: unknown[]) => Promise<void>>()
vi.mock('./api', () => ({ recordOffline: (...given: unknown[]) => record(...given) }))
const products = vi.fn<(query: object) => Promise<{ items: object[] }>>()
vi.mock('../catalog/api', () => ({ listProducts: (query: object) => products(query) }))
const institutions = vi.fn<(query: object) => Promise<{ items: object[] }>>()
vi.mock('../institution/api', () => ({ listInstitutions: (query: object) => institutions(query) }))

/** A generic component, found by what it is given. */
const pickersOf = (page: VueWrapper) => page.findAllComponents({ name: 'RemotePicker' })
const labelOf = (p: VueWrapper) => (p.props() as { label: string }).label

const pinia = createPinia()
const open = (permissions: string[]) => {
  setActivePinia(pinia)
  useSession().current = { permissions, deputed: [] } as unknown as Session
  return mount(RecordDialog, { global: { plugins: [ElementPlus, pinia] }, attachTo: document.body })
}
const press = () =>
  Array.from(document.querySelectorAll('button'))
    .find((b) => b.textContent?.trim() === '登记并通知企业确认')!
    .click()

beforeEach(() => {
  document.body.innerHTML = ''
  record.mockReset().mockResolvedValue()
  products.mockReset().mockResolvedValue({ items: [{ id: 7, name: '运河信用贷', institutionName: '运河银行' }] })
  institutions.mockReset().mockResolvedValue({ items: [{ id: 3, name: '公信律师事务所', kindName: '律师事务所' }] })
})

describe('RecordDialog', () => {
  it('lets an institution choose of its own listed products, by name', async () => {
    const page = open(['offline.record'])
    await flushPromises()
    const pickers = pickersOf(page)
    expect(pickers.map(labelOf)).toEqual(['产品'])
    const { find } = pickers[0]!.props() as { find: (q: string, signal: AbortSignal) => Promise<unknown> }
    await find('信用', new AbortController().signal)
    expect(products).toHaveBeenCalledWith({ q: '信用', shown: true, limit: 20 })
    expect(page.findAll('input[type=number]')).toHaveLength(0)
  })

  it('lets an operator choose an institution, or a product that says whose it is', async () => {
    const page = open(['offline.record', 'offline.view'])
    await flushPromises()
    const at = (label: string) => pickersOf(page).find((p) => labelOf(p) === label)
    at('服务机构')!.vm.$emit('update:modelValue', 3)
    await flushPromises()
    press()
    await flushPromises()
    expect(record).toHaveBeenLastCalledWith(expect.objectContaining({ institutionId: 3 }), expect.any(String))
    at('产品')!.vm.$emit('update:modelValue', 7)
    at('产品')!.vm.$emit('pick', { id: 7, name: '运河信用贷', institutionName: '运河银行' })
    await flushPromises()
    expect(at('服务机构')).toBeUndefined()
    expect(document.body.textContent).toContain('由运河银行提供')
    press()
    await flushPromises()
    expect(record).toHaveBeenLastCalledWith(
      expect.objectContaining({ productId: 7, institutionId: undefined }),
      expect.any(String),
    )
  })
})

describe('RemotePicker', () => {
  it('shows what the last question found', async () => {
    const answers: Record<string, (list: { id: number; name: string }[]) => void> = {}
    const picker = mount(RemotePicker, {
      props: {
        label: '机构',
        modelValue: undefined,
        find: (q: string) => new Promise<{ id: number; name: string }[]>((done) => (answers[q] = done)),
      },
      global: { plugins: [ElementPlus] },
      attachTo: document.body,
    })
    const ask = (q: string) => picker.findComponent({ name: 'ElSelect' }).props('remoteMethod')(q) as Promise<void>
    void ask('银')
    void ask('银行')
    answers['银行']!([{ id: 2, name: '运河银行' }])
    answers['银']!([{ id: 1, name: '白银担保' }])
    await flushPromises()
    expect(document.body.textContent).toContain('运河银行')
    expect(document.body.textContent).not.toContain('白银担保')
  })
})
