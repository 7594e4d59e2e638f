import {
  AlarmClock,
  Back,
  Bottom,
  CircleCheck,
  CircleClose,
  Clock,
  EditPen,
  Files,
  Stamp,
  Timer,
  WarningFilled,
} from '@element-plus/icons-vue'
import type { LabelTable, Tone } from '@/components/types'
import type { ProductStatus } from './api'

export const productStatus: LabelTable<ProductStatus> = {
  draft: { text: '草稿', tone: 'neutral', icon: EditPen },
  platform_review: { text: '待初审', tone: 'warning', icon: Clock },
  government_review: { text: '待终审', tone: 'primary', icon: Stamp },
  scheduled: { text: '待上架', tone: 'primary', icon: AlarmClock },
  listed: { text: '已上架', tone: 'success', icon: CircleCheck },
  returned: { text: '已退回', tone: 'danger', icon: WarningFilled },
  withdrawn: { text: '已撤回', tone: 'neutral', icon: Back },
  taken_down: { text: '已下架', tone: 'neutral', icon: Bottom },
  expired: { text: '已到期', tone: 'neutral', icon: Timer },
  replaced: { text: '历史版本', tone: 'neutral', icon: Files },
}

/** Beside the state of the newest edition: whether companies see the product. */
export const shownLabel = { text: '在架', tone: 'success', icon: CircleCheck } as const
export const hiddenLabel = { text: '机构停服，未展示', tone: 'danger', icon: CircleClose } as const

export const kinds: Record<string, string> = {
  financing: '融资服务',
  legal: '法律服务',
  tax: '财税服务',
  hr: '人力招聘',
  ip: '知识产权',
  certification: '资质认证',
  innovation: '科技创新',
  digital: '数字化',
}

export const financingKinds: Record<string, string> = {
  debt: '债权融资',
  mortgage: '抵押融资',
  equity: '股权融资',
  guarantee: '融资担保',
  insurance: '保险',
}

export const guarantees: Record<string, string> = {
  credit: '信用（无需抵押担保）',
  mortgage: '抵押',
  pledge: '质押',
  guarantor: '保证',
  insurance: '保证保险',
}

export const costs: Record<string, string> = { free: '免费', paid: '收费', subsidised: '有补贴' }

export const venues: Record<string, string> = { online: '线上', office: '机构现场', visit: '上门' }

/** What rate and amount of a kind of financing are called. */
export function financingWords(kind: string): { rate: string; amount: string } {
  if (kind === 'guarantee') return { rate: '担保费率', amount: '担保额度' }
  if (kind === 'insurance') return { rate: '保险费率', amount: '保险金额' }
  return { rate: '年利率', amount: kind === 'equity' ? '投资金额' : '额度' }
}

const tones: Record<string, Tone> = {
  'product.submitted': 'primary',
  'product.passed_platform': 'success',
  'product.approved': 'success',
  'product.listed': 'success',
  'product.returned': 'danger',
  'product.taken_down': 'warning',
  'product.expired': 'warning',
}

/** The colour of a step of the timeline. */
export const stepTone = (kind: string): Tone => tones[kind] ?? 'neutral'
