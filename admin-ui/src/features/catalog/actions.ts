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
      return { text: last ? '终审通过并上架' : '初审通过', type: 'primary' }
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
  return: {
    title: '退回机构',
    label: '退回原因',
    message: '机构会看到这段说明，修改后可以重新提交。请写明哪里不符合、怎样修改。',
    confirmText: '退回机构',
    minLength: 5,
    maxLength: 500,
    suggestions: [
      '利率、费率或收费标准与合同样本不一致，请核对并补充收费说明',
      '产品说明含有承诺性或容易误解的表述，请修改后重新提交',
      '申请材料或办理流程不完整，请补充',
      '机构资质有效期不足，请更新资质后提交',
    ],
  },
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
