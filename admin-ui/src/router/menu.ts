import type { Component } from 'vue'
import type { RouteRecordRaw } from 'vue-router'
import { menuGroups, type MenuGroup } from './feature'

export interface MenuEntry {
  name: string
  title: string
  icon?: Component
}

export interface MenuSection {
  group: MenuGroup
  icon?: Component
  entries: MenuEntry[]
}

/** The menu of one person: only routes that exist and that one of the permissions opens; empty groups are left out. */
export function buildMenu(routes: RouteRecordRaw[], can: (...anyOf: string[]) => boolean): MenuSection[] {
  const sections = new Map<MenuGroup, RouteRecordRaw[]>()
  for (const route of routes) {
    const group = route.meta?.menu
    if (!group || !can(...(route.meta?.permissions ?? []))) continue
    sections.set(group, [...(sections.get(group) ?? []), route])
  }
  return menuGroups
    .filter((group) => sections.has(group))
    .map((group) => {
      const sorted = sections.get(group)!.sort((a, b) => (a.meta?.order ?? 100) - (b.meta?.order ?? 100))
      const entries = sorted.map((r) => ({ name: String(r.name), title: r.meta?.title ?? group, icon: r.meta?.icon }))
      return { group, icon: entries.find((e) => e.icon)?.icon, entries }
    })
}
