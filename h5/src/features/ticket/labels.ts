import type { StatusLook } from '@/components/StatusTag/types'

import type { TicketStatus } from './api'

/** As in the back office, but for what the requester has to do. */
const looks: Record<TicketStatus, StatusLook> = {
  received: { word: '待处理', tone: 'warning', icon: 'bell' },
  answered: { word: '已答复', tone: 'success', icon: 'chat-o' },
  declined: { word: '不予受理', tone: 'neutral', icon: 'close' },
  dispatched: { word: '待签收', tone: 'warning', icon: 'guide-o' },
  signed: { word: '办理中', tone: 'info', icon: 'certificate' },
  suspended: { word: '请补充材料', tone: 'warning', icon: 'pause-circle-o' },
  replied: { word: '待回访', tone: 'info', icon: 'description-o' },
  reviewed: { word: '待回访', tone: 'info', icon: 'description-o' },
  callback: { word: '回访中', tone: 'info', icon: 'phone-o' },
  closed: { word: '已办结', tone: 'success', icon: 'passed' },
  archived: { word: '已归档', tone: 'neutral', icon: 'records-o' },
  merged: { word: '合并办理中', tone: 'info', icon: 'cluster-o' },
  voided: { word: '已作废', tone: 'neutral', icon: 'delete-o' },
}

/** How a state is shown; one this version does not know is shown as being handled. */
export function ticketLook(status: string): StatusLook {
  return looks[status as TicketStatus] ?? { word: '处理中', tone: 'info' }
}

/** Whether an answer is still due, also one to a request that is done again. */
export function answerDue(status: string): boolean {
  return ['received', 'dispatched', 'signed', 'merged'].includes(status)
}

/** What one to five stars mean. */
export const ratingWords = ['', '非常不满意', '不满意', '基本满意', '满意', '非常满意'] as const
