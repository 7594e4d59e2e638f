import type { ActionBody, Application, ApplicationAction, ApplicationStatus } from './api'

type ButtonType = 'primary' | 'default' | 'danger'
/** What an institution may do; withdrawing and supplying are the company's. */
export type Handling = keyof ActionBody

/** The buttons, in the order in which they stand. */
export const verbs: Record<Handling, { text: string; type: ButtonType }> = {
  accept: { text: '受理', type: 'primary' },
  diligence: { text: '登记尽职调查', type: 'primary' },
  plan: { text: '登记服务方案', type: 'primary' },
  'plan-step': { text: '完成一步', type: 'default' },
  deliver: { text: '登记交付', type: 'primary' },
  approve: { text: '登记审批结果', type: 'primary' },
  disburse: { text: '登记放款', type: 'primary' },
  complete: { text: '办结', type: 'primary' },
  progress: { text: '登记进展', type: 'default' },
  'ask-supplement': { text: '要求补正', type: 'default' },
  'hand-over': { text: '转交经办', type: 'default' },
  decline: { text: '不予通过', type: 'danger' },
}

/** The actions of the institution that are open, in the order of the buttons. */
export function handlingOf(application: Application): Handling[] {
  const open = new Set<ApplicationAction>(application.actions ?? [])
  return (Object.keys(verbs) as Handling[]).filter((action) => open.has(action))
}

/** What the button says: before accepting it is the acceptance that is refused. */
export function verbOf(action: Handling, status: ApplicationStatus): string {
  return action === 'decline' && status === 'submitted' ? '不予受理' : verbs[action].text
}

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
export function reasonOf(action: Handling): ReasonAsked | undefined {
  switch (action) {
    case 'ask-supplement':
      return {
        title: '要求补正',
        label: '需要补充的内容',
        message: '请一次说清需要补充的全部内容。企业补充后，申请回到现在的状态继续办理。',
        confirmText: '通知企业补充',
        minLength: 5,
        maxLength: 1000,
        suggestions: ['请补充最近三个月流水', '请补充完整租赁合同', '证件照片边角不清楚，请重新上传'],
      }
  }
  return undefined
}

interface NoteAsked {
  title: string
  label: string
  hint: string
  confirmText: string
  required: boolean
  files: boolean
}

/** The actions that tell the company something. */
export const notes: Partial<Record<Handling, NoteAsked>> = {
  accept: {
    title: '受理申请',
    label: '受理说明（选填）',
    hint: '例如：已指定专人，一个工作日内电话联系',
    confirmText: '受理',
    required: false,
    files: false,
  },
  progress: {
    title: '登记进展',
    label: '进展情况',
    hint: '例如：完成现场走访，进入方案确认阶段',
    confirmText: '登记进展',
    required: true,
    files: true,
  },
  deliver: {
    title: '登记交付',
    label: '交付说明',
    hint: '写明交付了什么；企业收到通知后在确认期限内确认或提出异议，到期视为确认',
    confirmText: '登记交付',
    required: true,
    files: true,
  },
  complete: {
    title: '办结申请',
    label: '办结说明',
    hint: '例如：款项已按约定用途使用',
    confirmText: '办结',
    required: true,
    files: true,
  },
}
