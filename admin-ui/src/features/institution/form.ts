import type { Details, Licence } from './api'

export const emptyInstitution = (): Details => ({
  name: '',
  kind: '',
  creditCode: '',
  legalPerson: '',
  phone: '',
  address: '',
  summary: '',
  qualifications: [],
})

export const emptyLicence = (): Licence => ({ name: '', no: '', to: '' })

/** What is sent: a day that was taken out again is null in the form. */
export const toDetails = (v: Details): Details => ({
  ...v,
  qualifications: v.qualifications.map((q) => ({ ...q, to: (q.to as string | null) ?? '' })),
})

/** What keeps an institution from being sent. The server checks code and phone themselves. */
export function checkInstitution(v: Details): Partial<Record<keyof Details, string>> {
  const found: Partial<Record<keyof Details, string>> = {}
  if (!v.name.trim()) found.name = '请填写机构名称'
  if (!v.kind) found.kind = '请选择机构类型'
  if (!v.creditCode.trim()) found.creditCode = '请填写统一社会信用代码'
  if (!v.legalPerson.trim()) found.legalPerson = '请填写法定代表人'
  if (!v.phone.trim()) found.phone = '请填写咨询电话'
  if (!v.address.trim()) found.address = '请填写地址'
  if (!v.summary.trim()) found.summary = '请填写机构简介'
  return found
}
