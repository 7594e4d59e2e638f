import type { TicketAction } from './api'

type ButtonType = 'primary' | 'default' | 'danger'

/** The buttons of the actions staff may take; rating is the requester's. */
export const verbs: Partial<Record<TicketAction, { text: string; type: ButtonType }>> = {
  dispatch: { text: '派单', type: 'primary' },
  sign: { text: '签收', type: 'primary' },
  reply: { text: '反馈', type: 'primary' },
  close: { text: '回访并办结', type: 'primary' },
  answer: { text: '直接答复', type: 'default' },
  callback: { text: '回访未接通', type: 'default' },
  reopen: { text: '退回重办', type: 'default' },
  decline: { text: '不予受理', type: 'default' },
  review: { text: '审核通过', type: 'primary' },
  sendback: { text: '审核退回', type: 'default' },
  resume: { text: '恢复办理', type: 'primary' },
  unmerge: { text: '撤销并单', type: 'default' },
  undo: { text: '撤销上一步', type: 'default' },
  void: { text: '作废', type: 'danger' },
}

/** The turns a ticket takes more rarely, behind one button. */
export const turns: TicketAction[] = ['classify', 'suspend', 'split', 'appeal', 'archive', 'merge', 'link']

interface ReasonAsked {
  title: string
  label: string
  message: string
  confirmText: string
  minLength: number
  maxLength: number
  danger?: boolean
  suggestions?: string[]
}

/** The actions that need a reason and nothing else. */
export const reasons: Partial<Record<TicketAction, ReasonAsked>> = {
  callback: {
    title: '登记回访未接通',
    label: '回访情况',
    message: '登记后工单保持“回访中”，可以再次回访。',
    confirmText: '登记回访',
    minLength: 2,
    maxLength: 1000,
    suggestions: ['无人接听', '关机或停机', '号码有误', '约定稍后再联系'],
  },
  void: {
    title: '作废工单',
    label: '作废原因',
    message: '作废后工单不再办理，只有督办人员可以撤销。企业会看到作废原因。',
    confirmText: '作废工单',
    minLength: 2,
    maxLength: 1000,
    danger: true,
    suggestions: ['重复登记', '测试数据', '企业主动撤回'],
  },
}

/** The actions that tell the requester something, with files. */
export const texts: Partial<Record<TicketAction, { title: string; label: string; confirmText: string }>> = {
  answer: { title: '直接答复', label: '答复内容', confirmText: '提交答复' },
  reply: { title: '反馈办理结果', label: '办理结果', confirmText: '提交反馈' },
}
