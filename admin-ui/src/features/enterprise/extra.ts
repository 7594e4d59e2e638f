import { api, data, idempotent, type Schemas } from '@/api/client'
import type { FormField } from '@/features/ticket/api'

export type ExtraField = Schemas['EnterpriseExtraFieldView']
export type Extra = Schemas['EnterpriseExtra']
export type ExtraItem = Schemas['EnterpriseExtraItem']
export type CompanyType = Schemas['EnterpriseCompanyType']

const list = <T>(p: { items: T[] | null }): T[] => p.items ?? []

export const listExtraFields = () => data(api.GET('/api/enterprise-fields')).then(list<ExtraField>)

export const listCompanyTypes = () => data(api.GET('/api/enterprise-types')).then(list<CompanyType>)

/** A cleared number is null in the form and nothing in the interface. */
const withoutNull = (f: FormField): FormField =>
  Object.fromEntries(Object.entries(f).filter(([, v]) => v !== null)) as unknown as FormField

/** Adds a field (version 0) or changes one. */
export const saveExtraField = (f: ExtraField, key: string) =>
  data(
    api.PUT('/api/enterprise-fields/{code}', {
      params: { path: { code: f.field.key } },
      body: {
        field: withoutNull(f.field),
        group: f.group,
        types: f.types ?? [],
        restricted: f.restricted,
        company: f.company,
        sort: f.sort,
        retired: f.retired,
        version: f.version,
      },
      ...idempotent(key),
    }),
  ).then(list<ExtraField>)

/** The fields of a company: the platform's own notes, and the others as far as it agreed or the basis covers. */
export const getExtra = (id: string, signal?: AbortSignal, basis?: string) =>
  data(api.GET('/api/enterprises/{id}/extra', { params: { path: { id: Number(id) }, query: { basis } }, signal }))

export const setExtra = (
  extra: Extra,
  values: Record<string, string[]>,
  basis: string | undefined,
  key: string,
): Promise<Extra> =>
  data(
    api.POST('/api/enterprises/{id}/extra', {
      params: { path: { id: extra.enterpriseId } },
      body: { version: extra.version, values, basis },
      ...idempotent(key),
    }),
  )

/** Kinds a field of companies may have; nothing personal is kept in them. */
export const extraKinds = {
  text: '文字',
  number: '数字',
  date: '日期',
  choice: '单选',
  choices: '多选',
  yesno: '是或否',
}

export const extraGroups: Record<ExtraField['group'], string> = {
  service: '服务管理信息',
  basic: '登记信息',
  operation: '经营情况',
  standing: '资质与信用',
}

export const companyWords: Record<ExtraField['company'], string> = {
  hidden: '企业不可见',
  reads: '企业可见',
  fills: '企业可见并填写',
}

/** A new field behind those there are, with a key that no other has. */
export function newExtraField(fields: ExtraField[]): ExtraField {
  let n = fields.length + 1
  while (fields.some((f) => f.field.key === `field${n}`)) n++
  return {
    field: { key: `field${n}`, label: '', kind: 'text' },
    group: 'service',
    types: [],
    restricted: false,
    company: 'hidden',
    sort: Math.max(0, ...fields.map((f) => f.sort)) + 10,
    retired: false,
    version: 0,
    updatedAt: '',
    updatedBy: '',
  }
}

/** What a field asks for, in words: 数字（张）. */
export function kindText(f: FormField): string {
  const word = extraKinds[f.kind as keyof typeof extraKinds] ?? f.kind
  if (f.unit) return `${word}（${f.unit}）`
  return f.options?.length ? `${word}：${f.options.join('、')}` : word
}

/** Conditions on fields as the address of the list holds them, one a line: "park:台湖". */
export interface Condition {
  code: string
  value: string
}

export const conditionsOf = (lines: string): Condition[] =>
  lines
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const at = line.indexOf(':')
      return { code: line.slice(0, at), value: line.slice(at + 1) }
    })

export const linesOf = (list: Condition[]): string => list.map((c) => `${c.code}:${c.value}`).join('\n')

/** A condition in words, as the chip above the list shows it. */
export function conditionText(fields: ExtraField[], c: Condition): string {
  const f = fields.find((x) => x.field.key === c.code)?.field
  if (!f) return c.value
  const [from = '', to = ''] = c.value.includes('..') ? c.value.split('..') : [c.value, c.value]
  const unit = f.unit ? ` ${f.unit}` : ''
  if (f.kind === 'yesno') return `${f.label}：${c.value === 'no' ? '否' : '是'}`
  if (f.kind === 'text') return `${f.label}含“${c.value}”`
  if (f.kind !== 'number' && f.kind !== 'date') return `${f.label}：${c.value}`
  if (from === to) return `${f.label}：${from}${unit}`
  if (!to) return `${f.label}：${from}${unit}起`
  return from ? `${f.label}：${from} 至 ${to}${unit}` : `${f.label}：至 ${to}${unit}`
}
