import { describe, expect, it } from 'vitest'
import type { RouteRecordRaw } from 'vue-router'
import type { MenuGroup } from './feature'
import { buildMenu } from './menu'
import { safeReturn } from './index'

const page = (name: string, menu: MenuGroup | undefined, permissions: string[] = [], order = 1): RouteRecordRaw => ({
  path: name,
  name,
  component: {},
  meta: { title: `页面${name}`, menu, permissions, order },
})

const routes = [
  page('users', '系统', ['user.manage'], 2),
  page('roles', '系统', ['role.manage'], 1),
  page('tickets', '工单', ['ticket.read', 'ticket.handle']),
  page('ticket', undefined, ['ticket.read']),
  page('workbench', '工作台'),
]
const holding =
  (...held: string[]) =>
  (...anyOf: string[]) =>
    anyOf.length === 0 || anyOf.some((p) => held.includes(p))
const shape = (...held: string[]) =>
  buildMenu(routes, holding(...held)).map((s) => `${s.group}:${s.entries.map((e) => e.name).join(',')}`)

describe('menu', () => {
  it('shows nobody more than what needs no permission', () => {
    expect(shape()).toEqual(['工作台:workbench'])
  })

  it('opens an entry by any one of its permissions and leaves detail pages out', () => {
    expect(shape('ticket.handle')).toEqual(['工作台:workbench', '工单:tickets'])
  })

  it('stands in the order of work, entries in their own', () => {
    expect(shape('user.manage', 'role.manage', 'ticket.read')).toEqual([
      '工作台:workbench',
      '工单:tickets',
      '系统:roles,users',
    ])
  })
})

describe('return after signing in', () => {
  it.each(['https://evil.example', '//evil.example', '/\\evil.example', '/login?return=/', undefined, ['/a']])(
    'refuses %s',
    (value) => expect(safeReturn(value)).toBe('/'),
  )
  it('takes a page of ours', () => expect(safeReturn('/tickets?open=2')).toBe('/tickets?open=2'))
})
