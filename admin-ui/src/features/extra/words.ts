import type { FormField } from '@/features/ticket/api'

/** Kinds an own field of companies, products and applications may have; nothing personal is kept in them. */
export const extraKinds = {
  text: '文字',
  number: '数字',
  date: '日期',
  choice: '单选',
  choices: '多选',
  yesno: '是或否',
}

/** What every definition of an own field has beside the field. */
export interface OwnField {
  field: FormField
  /** Its place among the others. */
  sort: number
  retired: boolean
  /** The edition that was seen; 0 before it is first saved. */
  version: number
  updatedAt: string
  updatedBy: string
}

/** A new field behind those there are, with a key that no other has. */
export function newOwnField(fields: OwnField[]): OwnField {
  let n = fields.length + 1
  while (fields.some((f) => f.field.key === `field${n}`)) n++
  return {
    field: { key: `field${n}`, label: '', kind: 'text' },
    sort: Math.max(0, ...fields.map((f) => f.sort)) + 10,
    retired: false,
    version: 0,
    updatedAt: '',
    updatedBy: '',
  }
}

/** A cleared number is null in the form and nothing in the interface. */
export const withoutNull = (f: FormField): FormField =>
  Object.fromEntries(Object.entries(f).filter(([, v]) => v !== null)) as unknown as FormField

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
export function conditionText(fields: { field: FormField }[], c: Condition): string {
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
