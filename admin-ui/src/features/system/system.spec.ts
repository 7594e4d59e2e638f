import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Component } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { ApiError } from '@/api/client'
import * as api from './api'
import AuditList from './AuditList.vue'
import { checkUser } from './checks'
import { exact, grouped, joined, objectText } from './labels'
import RolePanel from './RolePanel.vue'
import UserForm from './UserForm.vue'
import UserList from './UserList.vue'
import UserPanel from './UserPanel.vue'

const user: api.UserView = {
  id: 5,
  version: 3,
  name: '王芳',
  account: 'wangfang',
  phoneMasked: '139****9200',
  party: 'government',
  departmentId: 2,
  departmentName: '城市管理委员会',
  institutionId: 0,
  institutionName: '',
  enterpriseName: '',
  roles: [{ code: 'dept_handler', name: '部门经办人' }],
  state: 'active',
  createdAt: '2026-11-22T06:00:00Z',
  mustChange: false,
  hasPassword: true,
  wechat: false,
  self: false,
  sessions: [
    {
      id: 9,
      device: 'Chrome（Windows）',
      ip: '10.0.0.1',
      createdAt: '2026-11-22T06:00:00Z',
      seenAt: '2026-11-22T06:00:00Z',
      current: false,
    },
  ],
}
const role: api.RoleView = {
  code: 'agent',
  name: '热线坐席',
  party: 'platform',
  scope: 'district',
  custom: false,
  version: 4,
  holders: 6,
  mine: false,
  permissions: ['ticket.view'],
}
const permissions: api.Permission[] = [
  { name: 'ticket.view', group: '工单', label: '查看工单' },
  { name: 'identity.users', group: '系统', label: '管理账号' },
  { name: 'ticket.close', group: '工单', label: '办结' },
  { name: 'audit.view', group: '系统', label: '查看审计日志' },
]

async function open(component: Component, props: Record<string, unknown> = {}, at = '/') {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: ['users', 'roles', 'audit']
      .map((name) => ({ path: `/${name}`, name, component: page }))
      .concat([{ path: '/', name: 'home', component: page }]),
  })
  await router.push(at)
  const wrapper = mount(component, { props, global: { plugins: [router, createPinia()] }, attachTo: document.body })
  await flushPromises()
  return { wrapper, router }
}

function press(text: string): void {
  const button = [...document.querySelectorAll('button')].filter((b) => b.textContent?.trim() === text).at(-1)
  if (!button) throw new Error(`no button ${text}`)
  button.click()
}

afterEach(() => {
  document.body.innerHTML = ''
  vi.restoreAllMocks()
})

describe('labels', () => {
  it('puts permissions under their headings, in order', () => {
    expect(grouped(permissions).map((g) => [g.name, g.items.map((i) => i.label).join()])).toEqual([
      ['工单', '查看工单,办结'],
      ['系统', '管理账号,查看审计日志'],
    ])
  })

  it('knows which rights nobody may join', () => {
    expect(joined(['ticket.view', 'audit.view'])).toBe(false)
    expect(joined(['identity.users', 'audit.view'])).toBe(true)
  })

  it('shows an object it has no word for as it is', () => {
    expect(objectText('role', 3)).toBe('角色 3')
    expect(objectText('balloon')).toBe('balloon')
    expect(exact('2026-11-22T06:05:09Z')).toBe('2026年11月22日 14:05:09')
  })
})

describe('checkUser', () => {
  const good = {
    party: 'government',
    name: '王芳',
    account: 'wangfang',
    phone: '13900139000',
    departmentId: 2,
    institutionId: undefined,
    roles: ['dept_handler'],
  }
  it.each([
    [{}, []],
    [{ name: ' ' }, ['name']],
    [{ account: '王芳' }, ['account']],
    [{ phone: '' }, ['phone']],
    [{ departmentId: undefined }, ['departmentId']],
    [{ party: 'platform', departmentId: undefined }, []],
    [{ party: 'institution' }, ['institutionId']],
    [{ roles: [] }, ['roles']],
  ])('%o lacks %o', (change, fields) => {
    expect(Object.keys(checkUser({ ...good, ...change }, false))).toEqual(fields)
  })

  it('leaves the number of a known account alone', () => {
    expect(checkUser({ ...good, phone: '' }, true)).toEqual({})
  })
})

describe('accounts', () => {
  it('asks for what the address says', async () => {
    vi.spyOn(api, 'listRoles').mockResolvedValue({ items: [role] })
    const load = vi.spyOn(api, 'listUsers').mockResolvedValue({ items: [user] })
    const { wrapper } = await open(UserList, {}, '/users?q=%E8%8A%B3&state=locked&role=agent')
    expect(load).toHaveBeenCalledWith(
      { q: '芳', phone: '', party: '', role: 'agent', state: 'locked', cursor: undefined, limit: 20 },
      expect.anything(),
    )
    await vi.waitFor(() => expect(wrapper.text()).toContain('城市管理委员会'))
    expect(wrapper.text()).toContain('热线坐席') // the chip
  })

  it('shows a new password once, after asking', async () => {
    vi.spyOn(api, 'getUser').mockResolvedValue(user)
    const reset = vi.spyOn(api, 'resetPassword').mockResolvedValue({ user, password: 'KTRW-4829-hmpx-7bqk' })
    const { wrapper } = await open(UserPanel, { id: '5' })
    press('重置密码')
    await flushPromises()
    expect(reset).not.toHaveBeenCalled()
    press('重置密码')
    await flushPromises()
    expect(reset).toHaveBeenCalledWith(user, expect.any(String))
    expect(wrapper.emitted('issued')?.[0]).toEqual([{ user, password: 'KTRW-4829-hmpx-7bqk' }])
  })

  it('disables with a reason and the version that was seen', async () => {
    vi.spyOn(api, 'getUser').mockResolvedValue(user)
    const disable = vi.spyOn(api, 'disableUser').mockResolvedValue({ ...user, state: 'disabled' })
    await open(UserPanel, { id: '5' })
    press('停用账号')
    await flushPromises()
    press('调离岗位')
    await flushPromises()
    press('停用账号')
    await flushPromises()
    expect(disable).toHaveBeenCalledWith(user, '调离岗位', expect.any(String))
  })

  it('offers nothing on the own account', async () => {
    vi.spyOn(api, 'getUser').mockResolvedValue({ ...user, self: true })
    const { wrapper } = await open(UserPanel, { id: '5' })
    expect(wrapper.text()).toContain('这是您自己的账号')
    expect(wrapper.text()).not.toContain('停用账号')
    expect(wrapper.text()).not.toContain('结束')
  })

  it('puts what the server refuses beside its field', async () => {
    vi.spyOn(api, 'getPlaces').mockResolvedValue({
      departments: [{ id: 2, name: '通州区人民政府 / 城市管理委员会' }],
      institutions: [],
    })
    vi.spyOn(api, 'listRoles').mockResolvedValue({ items: [role] })
    const refusal = new ApiError({
      status: 409,
      code: 'PHONE_TAKEN',
      message: '该手机号已用于另一个账号，请更换',
      fields: [{ field: 'phone', message: '该手机号已用于另一个账号，请更换' }],
    })
    const edit = vi.spyOn(api, 'editUser').mockRejectedValue(refusal)
    await open(UserForm, { user })
    expect(document.body.textContent).not.toContain('服务机构') // no institution to work for
    press('保存修改')
    await flushPromises()
    expect(edit).toHaveBeenCalledWith(
      user,
      expect.objectContaining({ name: '王芳', departmentId: 2 }),
      expect.any(String),
    )
    await vi.waitFor(() =>
      expect(document.querySelector('.el-form-item__error')?.textContent).toContain('已用于另一个账号'),
    )
  })
})

describe('roles', () => {
  const show = async (given: api.RoleView) => {
    vi.spyOn(api, 'listRoles').mockResolvedValue({ items: [given] })
    vi.spyOn(api, 'listPermissions').mockResolvedValue({ items: permissions })
    return open(RolePanel, { code: 'agent' })
  }
  const tick = (label: string) =>
    [...document.querySelectorAll<HTMLElement>('.el-checkbox')]
      .find((c) => c.textContent?.includes(label))!
      .querySelector('input')!
      .click()

  it('saves what was chosen with the version that was seen', async () => {
    const save = vi.spyOn(api, 'editRole').mockResolvedValue({ ...role, version: 5 })
    await show(role)
    tick('办结')
    await flushPromises()
    press('保存权限')
    await flushPromises()
    expect(save).toHaveBeenCalledWith(role, ['ticket.view', 'ticket.close'], expect.any(String))
  })

  it('keeps the powers of the administrators apart', async () => {
    const save = vi.spyOn(api, 'editRole').mockResolvedValue(role)
    const { wrapper } = await show(role)
    tick('管理账号')
    await flushPromises()
    tick('查看审计日志')
    await flushPromises()
    expect(wrapper.text()).toContain('只能选其中一项')
    press('保存权限')
    await flushPromises()
    expect(save).not.toHaveBeenCalled()
  })

  it('does not offer to edit the own role', async () => {
    const { wrapper } = await show({ ...role, mine: true })
    expect(wrapper.text()).toContain('您自己担任这个角色')
    expect(wrapper.text()).not.toContain('保存权限')
  })
})

describe('audit log', () => {
  it('asks for the filters of the address and says how far it is sealed', async () => {
    vi.spyOn(api, 'getSeals').mockResolvedValue({ sealed: 1234, unsealed: 2, lastAt: '2026-11-22T06:00:00Z' })
    const load = vi.spyOn(api, 'listAudit').mockResolvedValue({
      items: [
        {
          id: 7,
          at: '2026-11-22T06:00:00Z',
          actorId: 0,
          actorName: 'seed',
          party: 'system',
          ip: '',
          action: 'identity.create',
          object: 'user',
          objectId: 5,
          summary: '新建账号 王芳',
        },
      ],
    })
    const { wrapper } = await open(AuditList, {}, '/audit?action=identity.&actor=seed')
    expect(load).toHaveBeenCalledWith(
      expect.objectContaining({ action: 'identity.', actor: 'seed', from: '', until: '' }),
      expect.anything(),
    )
    await vi.waitFor(() => expect(wrapper.text()).toContain('seed（系统）'))
    expect(wrapper.text()).toContain('1,234')
    expect(wrapper.text()).toContain('账号 5')
  })
})
