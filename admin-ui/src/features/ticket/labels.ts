import {
  Bell,
  ChatDotRound,
  CircleCheck,
  CircleClose,
  Clock,
  Delete,
  Connection,
  Document,
  Files,
  Finished,
  Minus,
  Phone,
  Promotion,
  Stamp,
  VideoPause,
  WarningFilled,
} from '@element-plus/icons-vue'
import type { LabelTable, Tone } from '@/components/types'
import type { Flag, Outcome, Source, TicketStatus, TicketUnit, Urgency } from './api'

export const ticketStatus: LabelTable<TicketStatus> = {
  received: { text: '待处理', tone: 'warning', icon: Bell },
  answered: { text: '已答复', tone: 'success', icon: ChatDotRound },
  declined: { text: '不予受理', tone: 'neutral', icon: CircleClose },
  dispatched: { text: '待签收', tone: 'warning', icon: Promotion },
  signed: { text: '办理中', tone: 'primary', icon: Stamp },
  suspended: { text: '已挂起', tone: 'warning', icon: VideoPause },
  replied: { text: '待回访', tone: 'primary', icon: Document },
  reviewed: { text: '已审核', tone: 'primary', icon: Finished },
  callback: { text: '回访中', tone: 'primary', icon: Phone },
  closed: { text: '已办结', tone: 'success', icon: CircleCheck },
  archived: { text: '已归档', tone: 'neutral', icon: Files },
  merged: { text: '已并单', tone: 'primary', icon: Connection },
  voided: { text: '已作废', tone: 'neutral', icon: Delete },
}

export const urgency: LabelTable<Urgency> = {
  normal: { text: '一般', tone: 'neutral', icon: Minus },
  urgent: { text: '紧急', tone: 'warning', icon: Clock },
  critical: { text: '特急', tone: 'danger', icon: WarningFilled },
}

export const sources: Record<Source, string> = {
  h5: '移动端',
  portal: '门户网站',
  agent: '代客登记',
  open311: '开放接口',
  wechat: '微信消息',
  mail: '电子邮件',
  import: '批量导入',
}

export const hopStates: Record<string, string> = {
  dispatched: '待签收',
  signed: '办理中',
  replied: '已反馈',
  accepted: '已验收',
  returned: '已退单',
  ended: '已终止',
  merged: '已并单',
}

export const hopRoles: Record<string, string> = { lead: '主办', co: '协办', task: '任务' }

/** What waits for a decision beside the state. */
export const flags: LabelTable<Flag> = {
  return: { text: '退单待审', tone: 'danger', icon: WarningFilled },
  extension: { text: '延期待审', tone: 'warning', icon: Clock },
  appeal: { text: '申诉待裁定', tone: 'warning', icon: WarningFilled },
  review: { text: '反馈待审核', tone: 'primary', icon: Document },
}

export const requestKinds: Record<string, string> = { return: '退单', extension: '延期', appeal: '申诉' }

export const nearKinds: Record<string, string> = { lead: '主单', merged: '并入本单', link: '关联' }

const tones: Record<string, Tone> = {
  'ticket.opened': 'primary',
  'ticket.answered': 'success',
  'ticket.replied': 'success',
  'ticket.closed': 'success',
  'ticket.reopened': 'danger',
  'ticket.declined': 'warning',
  'ticket.voided': 'warning',
  'ticket.suspended': 'warning',
  'ticket.resumed': 'primary',
  'ticket.undone': 'danger',
  'ticket.return_asked': 'danger',
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
