import {
  Bell,
  CircleCheck,
  CircleClose,
  Clock,
  EditPen,
  Promotion,
  RefreshLeft,
  Remove,
  Timer,
} from '@element-plus/icons-vue'
import type { LabelTable, TimelineEntry } from '@/components/types'
import type { Demand, DemandState, QuoteState } from './api'

export const demandStates: LabelTable<DemandState> = {
  draft: { text: '草稿', tone: 'neutral', icon: EditPen },
  review: { text: '待审核', tone: 'warning', icon: Bell },
  returned: { text: '退回修改', tone: 'danger', icon: RefreshLeft },
  open: { text: '征集报价', tone: 'primary', icon: Promotion },
  picked: { text: '已选定', tone: 'success', icon: CircleCheck },
  closed: { text: '已关闭', tone: 'neutral', icon: CircleClose },
  expired: { text: '已过期', tone: 'neutral', icon: Timer },
}

export const quoteStates: LabelTable<QuoteState> = {
  live: { text: '已报价', tone: 'primary', icon: Clock },
  withdrawn: { text: '已撤回', tone: 'neutral', icon: RefreshLeft },
  picked: { text: '被选定', tone: 'success', icon: CircleCheck },
  passed: { text: '未选定', tone: 'neutral', icon: Remove },
  ended: { text: '需求已结束', tone: 'neutral', icon: Timer },
}

/** The course of a demand, latest last. */
export const courseOf = (v: Demand): TimelineEntry[] =>
  (v.course ?? []).map((step, i) => ({
    id: i,
    at: step.at,
    title: step.label,
    actor: step.by,
    note: step.text || undefined,
  }))

/** How long it took, in words: 45 分钟, 6 小时, 2 天. */
export function span(minutes: number): string {
  if (minutes <= 0) return '—'
  if (minutes < 60) return `${minutes} 分钟`
  if (minutes < 48 * 60) return `${Math.round(minutes / 60)} 小时`
  return `${Math.round(minutes / 1440)} 天`
}
