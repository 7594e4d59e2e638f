import {
  Bell,
  ChatDotRound,
  CircleCheck,
  CircleClose,
  Clock,
  Delete,
  Document,
  Minus,
  Phone,
  Promotion,
  Stamp,
  WarningFilled,
} from '@element-plus/icons-vue'
import type { LabelTable, Tone } from '@/components/types'
import type { Outcome, Source, TicketStatus, TicketUnit, Urgency } from './api'

export const ticketStatus: LabelTable<TicketStatus> = {
  received: { text: '待处理', tone: 'warning', icon: Bell },
  answered: { text: '已答复', tone: 'success', icon: ChatDotRound },
  declined: { text: '不予受理', tone: 'neutral', icon: CircleClose },
  dispatched: { text: '待签收', tone: 'warning', icon: Promotion },
  signed: { text: '办理中', tone: 'primary', icon: Stamp },
  replied: { text: '待回访', tone: 'primary', icon: Document },
  callback: { text: '回访中', tone: 'primary', icon: Phone },
  closed: { text: '已办结', tone: 'success', icon: CircleCheck },
  voided: { text: '已作废', tone: 'neutral', icon: Delete },
}

export const urgency: LabelTable<Urgency> = {
  normal: { text: '一般', tone: 'neutral', icon: Minus },
  urgent: { text: '紧急', tone: 'warning', icon: Clock },
  critical: { text: '特急', tone: 'danger', icon: WarningFilled },
}

export const sources: Record<Source, string> = { h5: '移动端', portal: '门户网站', agent: '代客登记' }

export const hopStates: Record<string, string> = {
  dispatched: '待签收',
  signed: '办理中',
  replied: '已反馈',
  ended: '已终止',
}

const tones: Record<string, Tone> = {
  'ticket.opened': 'primary',
  'ticket.answered': 'success',
  'ticket.replied': 'success',
  'ticket.closed': 'success',
  'ticket.reopened': 'danger',
  'ticket.declined': 'warning',
  'ticket.voided': 'warning',
}

/** The colour of a step of the timeline. */
export const stepTone = (kind: string): Tone => tones[kind] ?? 'neutral'

/** "已接通，已解决，满意". */
export function outcomeText(outcome: Outcome): string {
  if (!outcome.contacted) return '未接通'
  return `已接通，${outcome.solved ? '已解决' : '未解决'}，${outcome.satisfied ? '满意' : '不满意'}`
}

/** The units with their way down the tree: "区人社局 / 劳动监察大队". */
export function unitOptions(units: TicketUnit[]): { value: number; label: string }[] {
  const names = new Map(units.map((unit) => [unit.id, unit.name]))
  return units.map((unit) => {
    const above = unit.levels.filter((id) => id !== 0 && id !== unit.id).flatMap((id) => names.get(id) ?? [])
    return { value: unit.id, label: [...above, unit.name].join(' / ') }
  })
}
