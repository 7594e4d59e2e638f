import { CircleCheck, CircleClose, Clock, EditPen, Lock, RefreshLeft, Stamp, Warning } from '@element-plus/icons-vue'
import type { LabelTable } from '@/components/types'
import type { InstitutionStatus } from './api'
import type { ApplicationState, Operator } from './onboarding'
import type { RenewalState } from './renewals'

export const institutionStatus: LabelTable<InstitutionStatus> = {
  active: { text: '正常', tone: 'success', icon: CircleCheck },
  suspended: { text: '暂停服务', tone: 'danger', icon: CircleClose },
}

export const applicationState: LabelTable<ApplicationState> = {
  draft: { text: '填写中', tone: 'neutral', icon: EditPen },
  waiting: { text: '待初审', tone: 'primary', icon: Clock },
  checked: { text: '待终审', tone: 'primary', icon: Stamp },
  withdrawn: { text: '已撤回', tone: 'neutral', icon: RefreshLeft },
  returned: { text: '已退回，待补正', tone: 'warning', icon: Warning },
  approved: { text: '已通过', tone: 'success', icon: CircleCheck },
  refused: { text: '不予通过', tone: 'danger', icon: CircleClose },
}

export const renewalState: LabelTable<RenewalState> = {
  waiting: { text: '待审核', tone: 'primary', icon: Clock },
  approved: { text: '已更新', tone: 'success', icon: CircleCheck },
  returned: { text: '已退回', tone: 'warning', icon: Warning },
  withdrawn: { text: '已撤回', tone: 'neutral', icon: RefreshLeft },
}

export const operatorState: LabelTable<Operator['state']> = {
  active: { text: '正常', tone: 'success', icon: CircleCheck },
  locked: { text: '已锁定', tone: 'warning', icon: Lock },
  disabled: { text: '已停用', tone: 'neutral', icon: CircleClose },
}

export const kinds: Record<string, string> = {
  bank: '银行',
  guarantee: '融资担保机构',
  insurance: '保险机构',
  fund: '投资基金',
  law: '律师事务所',
  tax: '财税服务机构',
  hr: '人力资源机构',
  ip: '知识产权机构',
  certification: '认证咨询机构',
  tech: '科技服务机构',
  digital: '数字化服务机构',
  other: '其他机构',
}
