import {
  Bell,
  ChatDotRound,
  CircleCheck,
  CircleClose,
  DocumentAdd,
  Finished,
  Money,
  RefreshLeft,
  Stamp,
  Tickets,
} from '@element-plus/icons-vue'
import type { LabelTable, Tone } from '@/components/types'
import type { Application, ApplicationStatus } from './api'
import { money } from '@/format'

export const applicationStatus: LabelTable<ApplicationStatus> = {
  submitted: { text: '待受理', tone: 'warning', icon: Bell },
  supplement: { text: '待补正', tone: 'warning', icon: DocumentAdd },
  accepted: { text: '已受理', tone: 'primary', icon: Stamp },
  in_progress: { text: '办理中', tone: 'primary', icon: Tickets },
  delivered: { text: '待确认', tone: 'warning', icon: ChatDotRound },
  approved: { text: '已审批', tone: 'success', icon: Finished },
  disbursed: { text: '已放款', tone: 'success', icon: Money },
  completed: { text: '已办结', tone: 'success', icon: CircleCheck },
  declined: { text: '未通过', tone: 'danger', icon: CircleClose },
  withdrawn: { text: '已撤回', tone: 'neutral', icon: RefreshLeft },
}

/** What a deadline is for. */
export const dueWords: Record<string, string> = { accept: '受理', handle: '办理', confirm: '企业确认' }

/** The eight kinds of products. */
export const productKinds: Record<string, string> = {
  financing: '融资服务',
  legal: '法律服务',
  tax: '财税服务',
  hr: '人力招聘',
  ip: '知识产权',
  certification: '资质认证',
  innovation: '科技创新',
  digital: '数字化',
}

/** How due diligence is done. */
export const ways: Record<string, string> = {
  on_site: '现场走访',
  phone: '电话访谈',
  documents: '资料核查',
  third_party: '委托第三方',
}

export const sources: Record<string, string> = { h5: '移动端', portal: '门户网站' }

/** What stands above the reason of a state. */
export const reasonTitles: Partial<Record<ApplicationStatus, string>> = {
  supplement: '等企业补充',
  declined: '未通过的原因',
  withdrawn: '企业撤回的原因',
}

const tones: Record<string, Tone> = {
  'application.submitted': 'primary',
  'application.accepted': 'primary',
  'application.approved': 'success',
  'application.disbursed': 'success',
  'application.completed': 'success',
  'application.supplement_asked': 'warning',
  'application.declined': 'danger',
  'application.withdrawn': 'warning',
  'application.delivered': 'success',
  'application.objected': 'danger',
  'application.due_warned': 'warning',
  'application.overdue': 'danger',
}

/** The colour of a step of the timeline. */
export const stepTone = (kind: string): Tone => tones[kind] ?? 'neutral'

/** "3.85%" of basis points. */
export const percent = (basisPoints: number) => `${(basisPoints / 100).toFixed(2)}%`

/** "40 万元，年利率 3.85%，期限 12 个月"; empty while nothing is granted. */
export function grantText(a: Application): string {
  if (!a.approvedAmount) return ''
  const rate = a.approvedRate ? `，年利率 ${percent(a.approvedRate)}` : ''
  return `${money(a.approvedAmount)}${rate}，期限 ${a.approvedTerm} 个月`
}
