// What a feature hands to the shell. Features are found by their files; nobody edits a central list.
import type { Component } from 'vue'
import type { RouteRecordRaw } from 'vue-router'

/** The left menu, top to bottom. A group without an entry the person may open does not appear. */
export const menuGroups = [
  '工作台',
  '工单',
  '回访',
  '督导',
  '知识库',
  '申请',
  '产品审核',
  '机构',
  '企业',
  '政策',
  '内容',
  '推广',
  '消息',
  '数据回流',
  '报表',
  '系统',
] as const

export type MenuGroup = (typeof menuGroups)[number]

/** Help for one page, shown in the help drawer. */
export interface HelpTopic {
  heading: string
  text: string
}

declare module 'vue-router' {
  interface RouteMeta {
    /** Page and browser title, also the menu entry's text. */
    title?: string
    /** The menu group the entry stands in; routes without one (detail pages) are not in the menu. */
    menu?: MenuGroup
    /** Icon of the entry; a group takes the icon of its first entry. */
    icon?: Component
    /** Position within the group; smaller first. */
    order?: number
    /** Any one of these opens the page; none means every signed-in member of staff. */
    permissions?: string[]
    /** Name of the list page whose menu entry stays highlighted on this page. */
    parent?: string
    /** Open to visitors, drawn without the shell. */
    public?: boolean
    /** The page fills the window and scrolls inside (desk page). */
    fill?: boolean
    help?: HelpTopic[]
  }
}

/** A feature's routes: children of the shell, with paths like `tickets` and `tickets/:id`. */
export type FeatureRoute = RouteRecordRaw & { name: string; meta: { title: string } }

/** A card on the workbench, contributed by `src/features/<module>/workbench.ts`. */
export interface WorkbenchCard {
  id: string
  title: string
  order: number
  permissions?: string[]
  /** How many of the three columns the card takes. */
  span?: 1 | 2 | 3
  component: () => Promise<{ default: Component }>
}

/** An action in the command palette beside the pages, contributed by `src/features/<module>/commands.ts`. */
export interface Command {
  id: string
  title: string
  group: string
  keywords?: string
  permissions?: string[]
  run: () => void
}
