import { describe, expect, it } from 'vitest'
import type { RouteRecordRaw } from 'vue-router'

import { entriesOf, tabsOf } from './menu'
import { returnPath } from './return'
import { routes } from './routes'

const page = { template: '<i/>' }
const sample: RouteRecordRaw[] = [
  { path: '/mine', component: page, meta: { title: '我的', tab: 'mine' } },
  { path: '/', component: page, meta: { title: '首页', tab: 'home' } },
  {
    path: '/b',
    component: page,
    meta: { title: '乙', order: 20, entry: { place: 'home', label: '乙', icon: 'b' } },
  },
  {
    path: '/a',
    component: page,
    meta: { title: '甲', order: 10, permission: 'a.read', entry: { place: 'home', label: '甲', icon: 'a' } },
  },
]

describe('menus', () => {
  it('shows only tabs that have a page, in the fixed order', () => {
    expect(tabsOf(sample).map((tab) => tab.label)).toEqual(['首页', '我的'])
  })

  it('refuses two roots of one tab', () => {
    expect(() => tabsOf([...sample, sample[0]!])).toThrow('mine')
  })

  it('orders entries and leaves out what the person may not do', () => {
    expect(entriesOf(sample, 'home', () => true).map((entry) => entry.label)).toEqual(['甲', '乙'])
    expect(entriesOf(sample, 'home', () => false).map((entry) => entry.label)).toEqual(['乙'])
    expect(entriesOf(sample, 'mine', () => true)).toEqual([])
  })
  it('offers a page at each of its places', () => {
    const both = { place: 'home', label: '丙', icon: 'c' } as const
    const routes = [
      {
        path: '/c',
        component: page,
        meta: { title: '丙', entry: [both, { ...both, place: 'mine' as const }] },
      },
    ]
    for (const place of ['home', 'mine'] as const) {
      expect(entriesOf(routes, place, () => true)).toEqual([{ ...both, place, path: '/c' }])
    }
  })

  it('has a title on every registered page, and no path or name twice', () => {
    expect(tabsOf(routes).map((tab) => tab.name)).toContain('home')
    for (const route of routes) expect(route.meta?.title, route.path).toBeTruthy()
    for (const field of ['path', 'name'] as const) {
      const all = routes.map((route) => route[field]).filter(Boolean)
      expect(new Set(all).size).toBe(all.length)
    }
  })
})

describe('returnPath', () => {
  it.each([
    ['/policy/3?tab=1', '/policy/3?tab=1'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
    ['/login?return=/x', '/'],
    [undefined, '/'],
  ])('%s → %s', (query, path) => expect(returnPath(query)).toBe(path))
})
