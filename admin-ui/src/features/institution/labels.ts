import { CircleCheck, CircleClose } from '@element-plus/icons-vue'
import type { LabelTable } from '@/components/types'
import type { InstitutionStatus } from './api'

export const institutionStatus: LabelTable<InstitutionStatus> = {
  active: { text: '正常', tone: 'success', icon: CircleCheck },
  suspended: { text: '暂停服务', tone: 'danger', icon: CircleClose },
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
