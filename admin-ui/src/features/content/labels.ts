import { CircleCheck, EditPen, Hide, Stamp, Timer } from '@element-plus/icons-vue'
import type { LabelTable, Tone } from '@/components/types'
import type { ArticleItem, ArticleKind, ArticleStatus } from './api'

export const articleKinds: Record<ArticleKind, string> = { news: '资讯', notice: '通知公告', help: '在线帮助' }

/** A published article whose time has not come, or has passed, reads differently from one that is seen. */
export type ArticleStanding = ArticleStatus | 'scheduled' | 'over'

export const articleStatus: LabelTable<ArticleStatus> = {
  draft: { text: '草稿', tone: 'neutral', icon: EditPen },
  review: { text: '待审核', tone: 'warning', icon: Stamp },
  published: { text: '已发布', tone: 'success', icon: CircleCheck },
  withdrawn: { text: '已撤下', tone: 'neutral', icon: Hide },
}

export const articleStanding: LabelTable<ArticleStanding> = {
  ...articleStatus,
  scheduled: { text: '定时发布', tone: 'primary', icon: Timer },
  over: { text: '已过期', tone: 'neutral', icon: Timer },
}

export const standingOf = (a: Pick<ArticleItem, 'status' | 'scheduled' | 'over'>): ArticleStanding =>
  a.scheduled ? 'scheduled' : a.over ? 'over' : a.status

const tones: Record<string, Tone> = {
  'content.published': 'success',
  'content.submitted': 'primary',
  'content.returned': 'warning',
  'content.withdrawn': 'warning',
}

/** The colour of a line of the history. */
export const entryTone = (kind: string): Tone => tones[kind] ?? 'neutral'

/** Where readers of the portal find it. */
export const portalAddress = (a: Pick<ArticleItem, 'kind' | 'id'>): string =>
  `/${{ news: 'news', notice: 'notices', help: 'help' }[a.kind]}/${a.id}`
