import type { FieldErrors } from '@/composables/useForm'

import type { Claim } from './api'

const length = (text: string) => Array.from(text.trim()).length

/** What was meant by a typed credit code, without blanks and hyphens, in capitals and half width. */
export const plainCode = (typed: string) =>
  typed
    .normalize('NFKC')
    .replace(/[\s\-_—–]/g, '')
    .toUpperCase()

/** What keeps a claim from being sent. The check character is the server's business: it says what was probably meant. */
export function checkClaim(values: Claim): FieldErrors<Claim> {
  const found: FieldErrors<Claim> = {}
  if (length(values.name) < 2) found.name = '请按营业执照填写企业全称。'
  const code = plainCode(values.creditCode)
  if (code.length !== 18) {
    found.creditCode = code
      ? `统一社会信用代码应为 18 位，您填写了 ${code.length} 位。`
      : '请填写营业执照上 18 位的统一社会信用代码。'
  }
  if (length(values.legalPerson) < 2) found.legalPerson = '请填写法定代表人姓名。'
  return found
}
