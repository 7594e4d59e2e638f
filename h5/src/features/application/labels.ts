import type { StatusLook } from '@/components/StatusTag/types'

import type { ApplicationStatus } from './api'

/** As in the back office. */
const looks: Record<ApplicationStatus, StatusLook> = {
  submitted: { word: '待受理', tone: 'warning', icon: 'bell' },
  supplement: { word: '待补正', tone: 'warning', icon: 'add-o' },
  accepted: { word: '已受理', tone: 'info', icon: 'certificate' },
  in_progress: { word: '办理中', tone: 'info', icon: 'orders-o' },
  delivered: { word: '待确认', tone: 'warning', icon: 'comment-o' },
  approved: { word: '已审批', tone: 'success', icon: 'completed-o' },
  disbursed: { word: '已放款', tone: 'success', icon: 'balance-o' },
  completed: { word: '已办结', tone: 'success', icon: 'passed' },
  declined: { word: '未通过', tone: 'danger', icon: 'close' },
  withdrawn: { word: '已撤回', tone: 'neutral', icon: 'revoke' },
}

/** How a state is shown; one this version does not know is shown as being handled. */
export function applicationLook(status: string): StatusLook {
  return looks[status as ApplicationStatus] ?? { word: '办理中', tone: 'info' }
}

export const draftLook: StatusLook = { word: '草稿', tone: 'neutral' }

/** The states in which something is still to come. */
export const openStatuses: ApplicationStatus[] = [
  'submitted',
  'supplement',
  'accepted',
  'in_progress',
  'delivered',
  'approved',
  'disbursed',
]

/** The tabs of the list. */
export const groups: { name: string; text: string; statuses: ApplicationStatus[] }[] = [
  { name: 'all', text: '全部', statuses: [] },
  { name: 'todo', text: '待我处理', statuses: ['supplement', 'delivered'] },
  {
    name: 'open',
    text: '办理中',
    statuses: ['submitted', 'accepted', 'in_progress', 'approved', 'disbursed'],
  },
  { name: 'ended', text: '已结束', statuses: ['completed', 'declined', 'withdrawn'] },
]

/** What stands above the reason of a state. */
export const reasonTitles: Partial<Record<string, string>> = {
  supplement: '需要补充',
  declined: '未通过的原因',
  withdrawn: '撤回原因',
}
