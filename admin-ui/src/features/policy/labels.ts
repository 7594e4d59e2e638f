import { CircleCheck, CircleClose, Clock, EditPen, Files, Timer, User } from '@element-plus/icons-vue'
import type { LabelTable } from '@/components/types'
import { money } from '@/format'
import type { Level, PolicyItem, Status, Topic, Window } from './api'

export const policyStatus: LabelTable<Status> = {
  draft: { text: '未发布', tone: 'warning', icon: EditPen },
  published: { text: '现行有效', tone: 'success', icon: CircleCheck },
  expired: { text: '已失效', tone: 'neutral', icon: CircleClose },
}

export const policyWindow: LabelTable<Window> = {
  open: { text: '正在申报', tone: 'success', icon: Clock },
  upcoming: { text: '即将开始', tone: 'primary', icon: Timer },
  always: { text: '常年受理', tone: 'neutral', icon: CircleCheck },
  closed: { text: '申报已截止', tone: 'neutral', icon: CircleClose },
}

/** Whether matching can judge the policy by data. */
export const matching: LabelTable<'data' | 'hand'> = {
  data: { text: '可比对', tone: 'primary', icon: Files },
  hand: { text: '需人工判断', tone: 'neutral', icon: User },
}

export const levels: Record<Level, string> = { national: '国家级', city: '市级', district: '区级' }

export const topics: Record<Topic, string> = {
  funding: '资金支持',
  innovation: '科技创新',
  financing: '融资服务',
  talent: '用工人才',
  premises: '场地要素',
  market: '市场开拓',
  green: '绿色发展',
  relief: '减负降费',
}

/** "2026年11月7日" of a plain day; a dash for an open one. */
export function dayText(day: string | undefined): string {
  const [year, month, date] = (day ?? '').split('-').map(Number)
  return year && month && date ? `${year}年${month}月${date}日` : '—'
}

export function windowText({ opensOn, closesOn }: Pick<PolicyItem, 'opensOn' | 'closesOn'>): string {
  if (opensOn && closesOn) return `${dayText(opensOn)} 至 ${dayText(closesOn)}`
  if (opensOn) return `${dayText(opensOn)} 起`
  return closesOn ? `${dayText(closesOn)} 截止` : '常年受理'
}

export const supportText = ({ capFen }: Pick<PolicyItem, 'capFen'>): string =>
  capFen > 0 ? `最高 ${money(capFen)}` : '不涉及资金'
