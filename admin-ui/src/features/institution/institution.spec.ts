import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { ApiError } from '@/api/client'
import * as api from './api'
import { checkInstitution, emptyInstitution, toDetails } from './form'
import InstitutionForm from './InstitutionForm.vue'
import InstitutionPage from './InstitutionPage.vue'
import routes from './routes'

const bank: api.Institution = {
  id: 4,
  name: '运河银行',
  kind: 'bank',
  kindName: '银行',
  creditCode: '919900000000000001',
  phone: '010-60000001',
  status: 'active',
  version: 2,
  expiring: '2026-12-31',
  createdAt: '2026-01-01T00:00:00Z',
  legalPerson: '陈立',
  address: '运河大道1号',
  summary: '普惠金融',
  qualifications: [{ name: '金融许可证', no: '1001', to: '2026-12-31' }],
  reason: '',
  timeline: [{ seq: 1, label: '登记机构', at: '2026-01-01T00:00:00Z', actor: '运营周' }],
  manage: true,
}

async function open(component: typeof InstitutionPage | typeof InstitutionForm, at: string) {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: routes.map((route) => ({ ...route, path: `/${route.path}`, component: page })),
  })
  await router.push(at)
  const wrapper = mount(component as typeof InstitutionPage, {
    global: { plugins: [router, createPinia()] },
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
  document.body.innerHTML = ''
})
afterEach(() => {
  vi.restoreAllMocks()
})

describe('form', () => {
  it('asks for everything but qualifications, and sends a cleared day as none', () => {
    expect(Object.keys(checkInstitution(emptyInstitution()))).toEqual([
      'name',
      'kind',
      'creditCode',
      'legalPerson',
      'phone',
      'address',
      'summary',
    ])
    const cleared = { ...emptyInstitution(), qualifications: [{ name: 'a', no: 'b', to: null as unknown as string }] }
    expect(toDetails(cleared).qualifications[0]!.to).toBe('')
  })
})

describe('InstitutionPage', () => {
  it('suspends with a reason', async () => {
    const load = vi.spyOn(api, 'getInstitution').mockResolvedValue(bank)
    const suspend = vi.spyOn(api, 'suspendInstitution').mockResolvedValue({ ...bank, status: 'suspended' })
    const { wrapper } = await open(InstitutionPage, '/institutions/4')
    for (const part of ['运河银行', '正常', '2026年12月31日', '登记机构']) expect(wrapper.text()).toContain(part)
    press('暂停服务')
    await flushPromises()
    press('资质已过有效期')
    await flushPromises()
    press('暂停服务')
    await flushPromises()
    expect(suspend).toHaveBeenCalledWith(bank, '资质已过有效期', expect.any(String))
    expect(load).toHaveBeenCalledTimes(2)
  })
  it('offers nothing to who may not manage', async () => {
    vi.spyOn(api, 'getInstitution').mockResolvedValue({ ...bank, manage: false })
    const { wrapper } = await open(InstitutionPage, '/institutions/4')
    expect(wrapper.text()).not.toContain('暂停服务')
    expect(wrapper.text()).not.toContain('修改信息')
  })
  it('says that a foreign one was not found', async () => {
    const missing = new ApiError({ status: 404, code: 'NOT_FOUND', message: '没有找到' })
    vi.spyOn(api, 'getInstitution').mockRejectedValue(missing)
    const { wrapper } = await open(InstitutionPage, '/institutions/4')
    expect(wrapper.text()).toContain('没有找到')
  })
})

describe('InstitutionForm', () => {
  it('edits as last seen and puts the server’s word to the field', async () => {
    vi.spyOn(api, 'getInstitution').mockResolvedValue(bank)
    const wrong = new ApiError({
      status: 422,
      code: 'BAD_USCC',
      message: '校验不通过',
      fields: [{ field: 'creditCode', message: '校验不通过，请核对营业执照' }],
    })
    const edit = vi.spyOn(api, 'editInstitution').mockRejectedValueOnce(wrong).mockResolvedValue(bank)
    const { wrapper, router } = await open(InstitutionForm, '/institutions/4/edit')
    await wrapper.get('input[aria-label="地址"]').setValue('运河大道2号')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    await vi.waitFor(() => expect(wrapper.text()).toContain('请核对营业执照'))
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(edit.mock.calls[1]![1]).toMatchObject({ version: 2, details: { address: '运河大道2号' } })
    expect(edit.mock.calls[0]![2]).toBe(edit.mock.calls[1]![2])
    await vi.waitFor(() => expect(router.currentRoute.value.path).toBe('/institutions/4'))
  })
})
