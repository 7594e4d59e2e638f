import { isPhone } from '@/components/ContactPhoneInput/phone'
import type { FieldErrors } from '@/composables/useForm'

export interface TicketValues {
  type: string
  /** Code of the street or town; '' leaves it to the words. */
  area: string
  title: string
  body: string
  contactName: string
  phone: string
  fields: Record<string, string[]>
}

const length = (text: string) => Array.from(text.trim()).length

/** What keeps a request from being sent. An empty phone is the one of the account. */
export function checkTicket(values: TicketValues): FieldErrors<TicketValues> {
  const found: FieldErrors<TicketValues> = {}
  if (!values.type) found.type = '请选择诉求类型。'
  if (length(values.title) < 2 || length(values.title) > 100) found.title = '请用 2 至 100 个字概括您的诉求。'
  if (length(values.body) < 5 || length(values.body) > 2000) found.body = '请写明具体情况（5 至 2000 个字）。'
  if (length(values.contactName) > 50) found.contactName = '联系人最多 50 个字。'
  if (values.phone && !isPhone(values.phone)) found.phone = '请填写 11 位手机号，或带区号的固定电话。'
  return found
}
