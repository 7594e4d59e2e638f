import type { StatusLook } from '@/components/StatusTag/types'

import type { TicketStatus } from './api'

const looks: Record<TicketStatus, StatusLook> = {
  received: { word: '待处理', tone: 'info' },
  answered: { word: '已答复', tone: 'success' },
  declined: { word: '不予受理', tone: 'neutral' },
  dispatched: { word: '待签收', tone: 'info' },
  signed: { word: '办理中', tone: 'info' },
  replied: { word: '待回访', tone: 'info' },
  callback: { word: '回访中', tone: 'info' },
  closed: { word: '已办结', tone: 'success' },
  voided: { word: '已作废', tone: 'neutral' },
}

/** How a state is shown; one this version does not know is shown as being handled. */
export function ticketLook(status: string): StatusLook {
  return looks[status as TicketStatus] ?? { word: '处理中', tone: 'info' }
}

/** What one to five stars mean. */
export const ratingWords = ['', '很不满意', '不满意', '基本满意', '满意', '非常满意'] as const
