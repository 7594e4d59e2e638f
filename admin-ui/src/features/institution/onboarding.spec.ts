import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import * as api from './onboarding'
import ApplicationPanel from './ApplicationPanel.vue'
import OperatorPage from './OperatorPage.vue'

const waiting: api.Application = {
  id: 7,
  number: 'RZ20261129-000007',
  state: 'waiting',
  label: '待审核',
  round: 2,
  name: '公信律师事务所',
  kind: 'law',
  kindName: '律师事务所',
  creditCode: '919900000000000001',
  userName: '李律',
  version: 5,
  overdue: true,
  dueAt: '2026-11-20T10:00:00Z',
  legalPerson: '李正',
  phone: '010-60000002',
  address: '运河大道2号',
  summary: '合同',
  offers: '每件 200 元',
  contactName: '李律',
  contactPhone: '13800138031',
  account: 'gongxin',
  documents: [{ id: 1, name: '执业许可证', no: '311', to: '2026-11-01', days: -28, files: [] }],
  rounds: [
    {
      round: 2,
      submittedAt: '2026-11-18T10:00:00Z',
      dueAt: '2026-11-20T10:00:00Z',
      outcome: 'waiting',
      label: '待审核',
      reason: '',
      reviewer: '',
      checker: '',
      changes: [{ label: '服务内容', before: '按件收费', after: '每件 200 元' }],
    },
  ],
  timeline: [],
  mayDecide: true,
  mayWithdraw: false,
}

const staff: api.Staff = {
  items: [
    {
      id: 1,
      name: '李律',
      account: 'gongxin',
      phoneMasked: '138****8031',
      roles: ['机构管理员'],
      state: 'active',
      version: 2,
      self: true,
    },
    {
      id: 2,
      name: '助理',
      account: 'zhuli',
      phoneMasked: '138****8032',
      roles: ['机构操作员'],
      state: 'active',
      version: 1,
      self: false,
    },
  ],
  roles: [{ code: 'institution_operator', name: '机构操作员' }],
}

async function open(component: unknown, props: Record<string, unknown> = {}) {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:any(.*)*', component: { template: '<i/>' } }],
  })
  await router.push('/')
  const wrapper = mount(component as typeof OperatorPage, {
    props,
    global: { plugins: [router, createPinia()] },
    attachTo: document.body,
  })
  await flushPromises()
  return wrapper
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

describe('ApplicationPanel', () => {
  it('shows what changed and what has expired, and refuses with a reason', async () => {
    vi.spyOn(api, 'getApplication').mockResolvedValue(waiting)
    const refuse = vi.spyOn(api, 'refuseApplication').mockResolvedValue({ ...waiting, state: 'refused' })
    await open(ApplicationPanel, { id: '7' })
    for (const part of ['公信律师事务所', '已超时', '已过期', '按件收费', '每件 200 元', '13800138031'])
      expect(document.body.textContent).toContain(part)
    press('不予通过')
    await flushPromises()
    const box = Array.from(document.querySelectorAll('textarea')).at(-1)!
    box.value = '不符合入驻条件'
    box.dispatchEvent(new Event('input'))
    await flushPromises()
    press('不予通过')
    await flushPromises()
    expect(refuse).toHaveBeenCalledWith(waiting, '不符合入驻条件', expect.any(String))
  })
  it('passes on in the first review, approves in the second', async () => {
    const load = vi.spyOn(api, 'getApplication').mockResolvedValue(waiting)
    const check = vi
      .spyOn(api, 'checkApplication')
      .mockResolvedValue({ ...waiting, state: 'checked', mayDecide: false })
    const approve = vi.spyOn(api, 'approveApplication')
    const panel = await open(ApplicationPanel, { id: '7' })
    press('初审通过')
    await flushPromises()
    expect(document.body.textContent).toContain('终审由其他工作人员办理')
    press('初审通过')
    await flushPromises()
    expect(check).toHaveBeenCalledWith(waiting, expect.any(String))
    panel.unmount()
    document.body.innerHTML = ''
    const checked = { ...waiting, state: 'checked' as const }
    load.mockResolvedValue(checked)
    approve.mockResolvedValue({
      application: { ...checked, state: 'approved' },
      account: 'gongxin',
      password: 'Abc123456789',
    })
    await open(ApplicationPanel, { id: '7' })
    expect(document.body.textContent).not.toContain('初审通过')
    press('终审通过')
    await flushPromises()
    press('终审通过')
    await flushPromises()
    expect(approve).toHaveBeenCalledWith(checked, expect.any(String))
    expect(document.body.textContent).toContain('Abc123456789')
  })
  it('offers no decision to who may not', async () => {
    vi.spyOn(api, 'getApplication').mockResolvedValue({ ...waiting, mayDecide: false })
    await open(ApplicationPanel, { id: '7' })
    expect(document.body.textContent).not.toContain('初审通过')
  })
})

describe('OperatorPage', () => {
  it('disables a colleague, never oneself', async () => {
    vi.spyOn(api, 'listOperators').mockResolvedValue(staff)
    const disable = vi.spyOn(api, 'disableOperator').mockResolvedValue(staff)
    await open(OperatorPage)
    const offers = Array.from(document.querySelectorAll('button')).filter((b) => b.textContent?.trim() === '停用')
    expect(offers).toHaveLength(1)
    offers[0]!.click()
    await flushPromises()
    press('人员离职')
    await flushPromises()
    press('停用')
    await flushPromises()
    expect(disable).toHaveBeenCalledWith(staff.items[1], '人员离职', expect.any(String))
  })
})
