import { api, data, idempotent, type Schemas } from '@/api/client'
import { newOwnField, withoutNull } from './words'

export type ExtraDefinition = Schemas['ExtraView']
export type ExtraSubject = ExtraDefinition['subject']
export type ExtraKind = Schemas['ExtraKind']

const list = <T>(p: { items: T[] | null }): T[] => p.items ?? []

/** The fields of products and applications; the retired ones to those only who define them. */
export const listDefinitions = () => data(api.GET('/api/extra-fields')).then(list<ExtraDefinition>)

export const listKinds = () => data(api.GET('/api/extra-field-kinds')).then(list<ExtraKind>)

/** The fields of a subject that are in use, in their order. */
export const fieldsOf = (all: ExtraDefinition[], subject: ExtraSubject): ExtraDefinition[] =>
  all.filter((f) => f.subject === subject && !f.retired)

/** Whether a field is asked for products of a kind and a kind of financing. */
export const asks = (f: ExtraDefinition, kind: string, financing: string): boolean =>
  !f.kinds?.length || f.kinds.some((k) => k === kind || (financing !== '' && k === financing))

/** Adds a field (version 0) or changes one. */
export const saveDefinition = (f: ExtraDefinition, key: string) =>
  data(
    api.PUT('/api/extra-fields/{subject}/{code}', {
      params: { path: { subject: f.subject, code: f.field.key } },
      body: {
        field: withoutNull(f.field),
        kinds: f.kinds ?? [],
        audience: f.audience,
        sort: f.sort,
        retired: f.retired,
        version: f.version,
      },
      ...idempotent(key),
    }),
  ).then(list<ExtraDefinition>)

export const subjectWords: Record<ExtraSubject, string> = { product: '产品', application: '申请' }

/** Who fills a field in and who sees it, by its subject. */
export const audienceWords: Record<ExtraSubject, Record<ExtraDefinition['audience'], string>> = {
  product: { everyone: '企业可见', staff: '仅机构和审核人员可见' },
  application: { everyone: '企业填写，双方可见', staff: '机构填写，企业不可见' },
}

/** A new field behind those of its subject, with a key that no other of it has. */
export const newDefinition = (all: ExtraDefinition[], subject: ExtraSubject): ExtraDefinition => ({
  ...newOwnField(all.filter((f) => f.subject === subject)),
  subject,
  kinds: [],
  audience: 'everyone',
})
