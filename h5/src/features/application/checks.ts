import { isPhone } from '@/components/ContactPhoneInput/phone'
import type { FieldErrors } from '@/composables/useForm'
import { money } from '@/format'

import type { Offer, OwnField } from './api'

/** What is typed into the form; files are apart. */
export interface ApplyValues {
  amount: string
  term: string
  purpose: string
  collateral: string
  contactName: string
  phone: string
}

export interface ApplyStep {
  title: string
  fields: (keyof ApplyValues | 'fileIds' | 'paperIds')[]
}

/** The screens of the form, one group of questions each. */
export function stepsOf(lends: boolean): ApplyStep[] {
  const rest: ApplyStep[] = [
    { title: '怎样联系您', fields: ['contactName', 'phone'] },
    { title: '材料与提交', fields: ['fileIds', 'paperIds'] },
  ]
  if (!lends) return [{ title: '需求说明', fields: ['purpose'] }, ...rest]
  return [
    { title: '金额和期限', fields: ['amount', 'term'] },
    { title: '用途和担保', fields: ['purpose', 'collateral'] },
    ...rest,
  ]
}

/** The required ones of the fields that administrators define that nobody filled in. Whether the rest is right the server says. */
export function checkFields(fields: OwnField[], values: Record<string, string[]>): Record<string, string> {
  const found: Record<string, string> = {}
  for (const f of fields) {
    if (f.required && !values[f.key]?.some((word) => word.trim() !== ''))
      found[`fields.${f.key}`] =
        `请${['choice', 'choices', 'yesno', 'date'].includes(f.kind) ? '选择' : '填写'}${f.label}。`
  }
  return found
}

/** Fen of an amount typed in units of ten thousand yuan ("12.5"); null when it is none. */
export function fenOf(typed: string): number | null {
  const match = /^(\d{1,8})(?:\.(\d{1,6}))?$/.exec(typed.trim())
  if (!match) return null
  return Number(match[1]) * 1_000_000 + Number((match[2] ?? '').padEnd(6, '0'))
}

/** Whole months; null when it is none. */
export function monthsOf(typed: string): number | null {
  return /^\d{1,4}$/.test(typed.trim()) ? Number(typed) : null
}

const length = (text: string) => Array.from(text.trim()).length

function amountProblem(typed: string, offer: Offer): string | undefined {
  const fen = fenOf(typed)
  if (!typed.trim() || fen === 0) return '请填写申请金额。'
  if (fen === null) return '申请金额应为数字，例如 50 或 12.5。'
  if (offer.amountMin && fen < offer.amountMin) return `本产品最低申请 ${money(offer.amountMin)}。`
  if (offer.amountMax && fen > offer.amountMax) return `本产品最高申请 ${money(offer.amountMax)}。`
  if (fen % 100) return '申请金额最多 4 位小数。'
}

function termProblem(typed: string, offer: Offer): string | undefined {
  const months = monthsOf(typed)
  if (!typed.trim() || months === 0) return '请填写申请期限。'
  if (months === null) return '申请期限应为整数，例如 12。'
  if (offer.termMax && (months < offer.termMin || months > offer.termMax)) {
    return `本产品期限为 ${offer.termMin || 1} 至 ${offer.termMax} 个月。`
  }
}

/** What keeps an application from being sent. An empty phone is the one of the account. */
export function checkApply(values: ApplyValues, offer: Offer): FieldErrors<ApplyValues> {
  const found: FieldErrors<ApplyValues> = {}
  if (offer.lends) {
    found.amount = amountProblem(values.amount, offer)
    found.term = termProblem(values.term, offer)
    if (length(values.collateral) > 300) found.collateral = '担保情况最多 300 个字。'
  }
  const label = offer.lends ? '资金用途' : '需求说明'
  if (!length(values.purpose)) found.purpose = `请填写${label}。`
  else if (length(values.purpose) > 1000) found.purpose = `${label}最多 1000 个字。`
  if (length(values.contactName) > 50) found.contactName = '联系人最多 50 个字。'
  if (values.phone && !isPhone(values.phone)) found.phone = '请填写 11 位手机号，或带区号的固定电话。'
  for (const name of Object.keys(found) as (keyof ApplyValues)[]) if (!found[name]) delete found[name]
  return found
}
