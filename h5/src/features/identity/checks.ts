import { isMobile } from '@/components/ContactPhoneInput/phone'
import type { FieldErrors } from '@/composables/useForm'

export const checkPhone = (phone: string) => (isMobile(phone) ? undefined : '请填写 11 位手机号。')
export const checkCode = (code: string) => (/^\d{6}$/.test(code) ? undefined : '请填写短信中的 6 位数字。')
export const checkCaptcha = (answer: string) => (answer.trim() ? undefined : '请填写图中的数字。')

/** Keeps the fields that have something wrong with them. */
export function wrong<V>(found: FieldErrors<V>): FieldErrors<V> {
  return Object.fromEntries(Object.entries(found).filter(([, message]) => message)) as FieldErrors<V>
}

export interface RegisterValues {
  phone: string
  captchaAnswer: string
  code: string
  companyName: string
  contactName: string
  consent: boolean
}

/** What keeps a registration from being sent; how long a company's name may be, the server says. */
export function checkRegistration(values: RegisterValues): FieldErrors<RegisterValues> {
  const company = values.companyName.trim()
  const contact = values.contactName.trim()
  return wrong<RegisterValues>({
    phone: checkPhone(values.phone),
    code: checkCode(values.code),
    companyName: company.length >= 4 ? undefined : '请填写营业执照上的企业全称（4 至 100 个字）。',
    contactName:
      contact.length >= 2 && contact.length <= 30 ? undefined : '请填写联系人姓名（2 至 30 个字）。',
    consent: values.consent ? undefined : '请先阅读隐私说明，同意后再注册。',
  })
}
