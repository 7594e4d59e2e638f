import {
  CircleCheck,
  CircleClose,
  Clock,
  Delete,
  Document,
  EditPen,
  Files,
  QuestionFilled,
  Stamp,
  Timer,
  User,
  WarningFilled,
} from '@element-plus/icons-vue'
import type { LabelTable } from '@/components/types'
import { money } from '@/format'
import type { Level, PolicyItem, Status, Topic, Window } from './api'
import type { EditionState, Tried } from './library'

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
  hand: { text: '需人工判定', tone: 'neutral', icon: User },
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

export const editionLabels: LabelTable<EditionState> = {
  draft: { text: '编辑中', tone: 'warning', icon: EditPen },
  review: { text: '待审核', tone: 'primary', icon: Stamp },
  published: { text: '已发布', tone: 'success', icon: CircleCheck },
  replaced: { text: '已被替代', tone: 'neutral', icon: Document },
  discarded: { text: '已放弃', tone: 'neutral', icon: Delete },
}

/** How a company comes out. */
export const groupLabels: LabelTable<Tried['got']> = {
  eligible: { text: '符合', tone: 'success', icon: CircleCheck },
  possible: { text: '待确认', tone: 'primary', icon: QuestionFilled },
  nearly: { text: '接近', tone: 'warning', icon: Clock },
  by_hand: { text: '需人工判定', tone: 'neutral', icon: User },
  not_eligible: { text: '不符合', tone: 'neutral', icon: CircleClose },
}

export const holdsLabels: LabelTable<'yes' | 'no'> = {
  yes: { text: '与应有结果一致', tone: 'success', icon: CircleCheck },
  no: { text: '与应有结果不同', tone: 'danger', icon: WarningFilled },
}
