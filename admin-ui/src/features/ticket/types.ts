import { api, data, idempotent, type Schemas } from '@/api/client'
import type { DeclineReason, FormField, TicketType } from './api'

export type TypeView = Schemas['TicketTypeView']
export type Category = Schemas['TicketCategory']
export type Scheme = Schemas['TicketScheme']
export type TypeBody = Schemas['TicketTypeBody']

const at = (code: string) => ({ params: { path: { code } } })

export const getType = (code: string) => data(api.GET('/api/ticket-types/{code}', at(code)))

export const listCategories = () => data(api.GET('/api/ticket-categories'))

/** Adds a type (version 0) or changes one. */
export const saveType = (code: string, body: TypeBody, key: string) =>
  data(api.POST('/api/ticket-types/{code}', { ...at(code), body, ...idempotent(key) }))

/** Gives a type a new form; tickets keep the one they were filed with. */
export const saveForm = (type: TypeView, fields: FormField[], key: string) =>
  data(
    api.POST('/api/ticket-types/{code}/form', {
      ...at(type.code),
      // A cleared number is null in the form and nothing in the interface.
      body: { version: type.version, fields: fields.map(withoutNull) },
      ...idempotent(key),
    }),
  )

const withoutNull = (f: FormField): FormField =>
  Object.fromEntries(Object.entries(f).filter(([, v]) => v !== null)) as unknown as FormField

/** Takes a type out of use, or back into it. */
export const retireType = (type: TypeView, retire: boolean, key: string) =>
  data(
    api.POST(`/api/ticket-types/{code}/${retire ? 'retire' : 'restore'}`, {
      ...at(type.code),
      body: { version: type.version },
      ...idempotent(key),
    }),
  )

/** Whether the replies to a type are reviewed before the requester is called. */
export const setReview = (code: string, review: boolean) =>
  data(api.POST('/api/ticket-types/{code}/review', { ...at(code), body: { review } }))

export const saveDeclineReason = (r: DeclineReason, key: string) =>
  data(
    api.POST('/api/ticket-decline-reasons/{code}', {
      ...at(r.code),
      body: { version: r.version, name: r.name, route: r.route, sort: r.sort, retired: r.retired },
      ...idempotent(key),
    }),
  )

export const kinds: Record<FormField['kind'], string> = {
  text: '文字',
  number: '数字',
  date: '日期',
  choice: '单选',
  choices: '多选',
  phone: '电话',
  yesno: '是或否',
}

/** A new field, with a key that no other has. */
export function newField(fields: FormField[]): FormField {
  let n = fields.length + 1
  while (fields.some((f) => f.key === `field${n}`)) n++
  return { key: `field${n}`, label: '', kind: 'text' }
}

/** How often a type's form changed and what it holds, in words. */
export function formText(type: TicketType): string {
  const n = type.fields?.length ?? 0
  return n ? `${n} 个字段` : '只有标题和内容'
}
