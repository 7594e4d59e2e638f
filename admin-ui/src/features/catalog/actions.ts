import type { ProductAction, ProductStatus } from './api'

type ButtonType = 'primary' | 'default' | 'danger'

/** The buttons in the order in which they stand; the reviewer's yes says which review it is. */
export function verbOf(
  action: ProductAction,
  { status, recommended, shown }: { status: ProductStatus; recommended: boolean; shown: number },
): { text: string; type: ButtonType } {
  const last = status === 'government_review'
  switch (action) {
    case 'pass':
      return { text: last ? '终审通过' : '初审通过', type: 'primary' }
    case 'return':
      return { text: status === 'scheduled' ? '撤销终审并退回' : '退回机构', type: 'default' }
    case 'submit':
      return { text: '提交审核', type: 'primary' }
    case 'edit':
      return { text: '修改', type: 'default' }
    case 'withdraw':
      return { text: '撤回', type: 'default' }
    case 'revise':
      return { text: '修改为新版本', type: 'primary' }
    case 'recommend':
      return { text: recommended ? '取消推荐' : '设为推荐', type: 'default' }
    case 'unlist':
    case 'take-down':
      // beside an edition under way it is the other one that leaves
      return { text: status === 'listed' ? '下架' : `下架第 ${shown} 版`, type: 'danger' }
  }
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
export const reasons: Partial<Record<ProductAction, ReasonAsked>> = {
  'take-down': {
    title: '下架产品',
    label: '下架原因',
    message: '下架后企业不再看到此产品，已受理的申请继续办理。机构会看到下架原因。',
    confirmText: '下架产品',
    minLength: 2,
    maxLength: 500,
    danger: true,
    suggestions: ['机构资质到期', '实际办理与公示内容不一致', '收到企业投诉，核查期间暂停展示'],
  },
  unlist: {
    title: '下架产品',
    label: '下架原因',
    message: '下架后企业不再看到此产品，已受理的申请继续办理。需要恢复时，修改为新版本后重新提交审核。',
    confirmText: '下架产品',
    minLength: 2,
    maxLength: 500,
    danger: true,
    suggestions: ['产品升级调整', '额度已用完', '不再提供此项服务'],
  },
}

/** The actions that are asked for once more before they are taken, and what is said afterwards. */
export const questions: Partial<
  Record<ProductAction, { title: string; message: string; confirmText: string; done: string }>
> = {
  submit: {
    title: '提交审核',
    message: '提交后由平台运营初审、政府部门终审，审核期间不能修改，需要修改时可以撤回。',
    confirmText: '提交审核',
    done: '已提交，等待初审',
  },
  withdraw: {
    title: '撤回产品',
    message: '撤回后可以修改并重新提交，审核从初审重新开始。',
    confirmText: '撤回产品',
    done: '已撤回',
  },
}
