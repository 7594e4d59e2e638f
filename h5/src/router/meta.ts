import 'vue-router'

/** The five tabs, in their order. A tab is shown when some route claims it. */
export const tabs = {
  home: { label: '首页', icon: 'wap-home-o' },
  policy: { label: '政策', icon: 'description-o' },
  service: { label: '服务', icon: 'apps-o' },
  request: { label: '诉求', icon: 'chat-o' },
  mine: { label: '我的', icon: 'contact-o' },
} as const

export type TabName = keyof typeof tabs

/** Offers a page from another page: as a quick action of 首页 or as a line of 我的. */
export interface MenuEntry {
  place: 'home' | 'mine'
  label: string
  icon: string
  /** A number beside the line: messages that wait to be read. */
  badge?: 'unread'
}

declare module 'vue-router' {
  interface RouteMeta {
    /** Of the window, and of the card when the page is shared in WeChat. */
    title: string
    /** This page is the root of the tab. */
    tab?: TabName
    entry?: MenuEntry | MenuEntry[]
    /** Place among the entries; small first. */
    order?: number
    /** Only for people who are signed in; others sign in first and then come back. */
    auth?: boolean
    /** Only for people who are not signed in yet. */
    guest?: boolean
    /** The right without which the page shows whom to ask, and its entry is not offered. */
    permission?: string
    /** Stays as it was (items, scroll position) while a page opened from it is read. Needs a unique path. */
    keep?: boolean
  }
}
