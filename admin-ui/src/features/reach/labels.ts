import {
  CircleCheck,
  CircleClose,
  Clock,
  EditPen,
  QuestionFilled,
  Timer,
  User,
  VideoPause,
} from '@element-plus/icons-vue'
import type { LabelTable } from '@/components/types'
import type { Grant, GrantCompany, Push, SetCode } from './api'

export const sets: LabelTable<SetCode> = {
  eligible: { text: '符合', tone: 'success', icon: CircleCheck },
  near: { text: '接近', tone: 'warning', icon: Timer },
  unknown: { text: '待确认', tone: 'primary', icon: QuestionFilled },
  human: { text: '需人工判定', tone: 'neutral', icon: User },
  not_eligible: { text: '不符合', tone: 'neutral', icon: CircleClose },
}

export const pushStates: LabelTable<Push['state']> = {
  preparing: { text: '准备中', tone: 'neutral', icon: Clock },
  waiting: { text: '待审批', tone: 'warning', icon: Timer },
  refused: { text: '审批未通过', tone: 'danger', icon: CircleClose },
  sending: { text: '发送中', tone: 'primary', icon: Clock },
  paused: { text: '已暂停', tone: 'warning', icon: VideoPause },
  done: { text: '已完成', tone: 'success', icon: CircleCheck },
  stopped: { text: '已停止', tone: 'neutral', icon: CircleClose },
}

export const grantStates: LabelTable<Grant['state']> = {
  preparing: { text: '生成中', tone: 'neutral', icon: Clock },
  draft: { text: '编制中', tone: 'primary', icon: EditPen },
  review: { text: '待审定', tone: 'warning', icon: Timer },
  public: { text: '公示中', tone: 'primary', icon: Clock },
  confirming: { text: '企业确认中', tone: 'warning', icon: Timer },
  final: { text: '已确定', tone: 'success', icon: CircleCheck },
  cancelled: { text: '已作废', tone: 'neutral', icon: CircleClose },
}

export const companyStates: LabelTable<GrantCompany['state']> = {
  listed: { text: '在名单内', tone: 'primary', icon: CircleCheck },
  removed: { text: '已移出', tone: 'neutral', icon: CircleClose },
  confirmed: { text: '已确认', tone: 'success', icon: CircleCheck },
  declined: { text: '企业放弃', tone: 'neutral', icon: CircleClose },
}

/** What became of the companies of a plan: "已告知 5 家（短信送达 2、结果不明 2、未送达 1），已读 2 家". */
export function progressText({ progress: p }: Pick<Push, 'progress'>): string {
  const letters = [
    ['送达', p.sent],
    ['发送中', p.inTransit],
    ['结果不明', p.unknown],
    ['未送达', p.failed],
    ['仅站内', p.platform],
  ]
    .filter(([, n]) => n !== 0)
    .map(([word, n]) => `${word} ${n}`)
  const parts = [`已告知 ${p.told} 家${letters.length ? `（${letters.join('、')}）` : ''}`]
  if (p.waiting) parts.push(`待告知 ${p.waiting} 家`)
  for (const s of p.skipped) parts.push(`${s.reason} ${s.count} 家`)
  if (p.told) parts.push(`已读 ${p.opened} 家`, `查看匹配 ${p.matched} 家`)
  return parts.join('，')
}

export const percent = ({ progress: p }: Pick<Push, 'progress'>): number =>
  p.total ? Math.round(((p.total - p.waiting) * 100) / p.total) : 0
