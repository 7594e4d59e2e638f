import type { RouteRecordRaw } from 'vue-router'

import { tabs, type MenuEntry, type TabName } from './meta'

export interface Tab {
  name: TabName
  path: string
  label: string
  icon: string
}

export interface Entry extends MenuEntry {
  path: string
}

/** The tabs that some route is the root of, in the fixed order. Two roots of one tab are a mistake. */
export function tabsOf(routes: readonly RouteRecordRaw[]): Tab[] {
  return (Object.keys(tabs) as TabName[]).flatMap((name) => {
    const roots = routes.filter((route) => route.meta?.tab === name)
    if (roots.length > 1) throw new Error(`tab ${name} has ${roots.length} root pages`)
    return roots.map((route) => ({ name, path: route.path, ...tabs[name] }))
  })
}

/** The pages offered at a place; those whose permission the person lacks are left out. */
export function entriesOf(
  routes: readonly RouteRecordRaw[],
  place: MenuEntry['place'],
  can: (permission: string) => boolean,
): Entry[] {
  return routes
    .filter((route) => !route.meta?.permission || can(route.meta.permission))
    .sort((a, b) => (a.meta?.order ?? 100) - (b.meta?.order ?? 100))
    .flatMap((route) =>
      [route.meta?.entry ?? []]
        .flat()
        .filter((entry) => entry.place === place)
        .map((entry) => ({ ...entry, path: route.path })),
    )
}
