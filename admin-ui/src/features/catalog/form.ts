import type { Content, Suits } from './api'

/** A file of a product. */
export interface UploadedFile {
  id: number
  name?: string
  size?: number
  mime?: string
}

/** Whom a product suits as it is typed: turnover in 万元, an emptied number is null. */
export interface SuitsValues {
  sections: string[]
  regions: string[]
  sizes: string[]
  titles: string[]
  years: number | null
  employeesMin: number | null
  employeesMax: number | null
  revenueMin: number | null
  revenueMax: number | null
  cleanRecord: boolean
}

/** A product as it is typed: rates in per cent, amounts in 万元, one line per material and step. */
export interface ProductValues {
  name: string
  kind: string
  financingKind: string
  summary: string
  target: string
  rateMin: number | null
  rateMax: number | null
  amountMin: number | null
  amountMax: number | null
  termMin: number | null
  termMax: number | null
  guarantees: string[]
  cost: string
  priceText: string
  subsidy: string
  venues: string[]
  duration: string
  deliverables: string
  conditions: string
  days: number | null
  /** Null when the day was taken out again, as below. */
  listFrom: string | null
  validUntil: string | null
  materials: string
  steps: string
  description: string
  suits: SuitsValues
  cover: UploadedFile[]
  files: UploadedFile[]
  /** Answers to the fields that administrators define, by their keys. */
  fields: Record<string, string[]>
}

export const emptyProduct = (): ProductValues => ({
  name: '',
  kind: '',
  financingKind: '',
  summary: '',
  target: '',
  rateMin: null,
  rateMax: null,
  amountMin: null,
  amountMax: null,
  termMin: null,
  termMax: null,
  guarantees: [],
  cost: '',
  priceText: '',
  subsidy: '',
  venues: [],
  duration: '',
  deliverables: '',
  conditions: '',
  days: null,
  listFrom: '',
  validUntil: '',
  materials: '',
  steps: '',
  description: '',
  suits: suitsValues(),
  cover: [],
  files: [],
  fields: {},
})

const tenThousandYuan = 1_000_000 // in fen

/** What was said of whom it suits, as it is typed again. */
export const suitsValues = (s?: Suits): SuitsValues => ({
  sections: [...(s?.sections ?? [])],
  regions: [...(s?.regions ?? [])],
  sizes: [...(s?.sizes ?? [])],
  titles: [...(s?.titles ?? [])],
  years: s?.years ?? 0,
  employeesMin: s?.employeesMin ?? 0,
  employeesMax: s?.employeesMax ?? 0,
  revenueMin: (s?.revenueMin ?? 0) / tenThousandYuan,
  revenueMax: (s?.revenueMax ?? 0) / tenThousandYuan,
  cleanRecord: s?.cleanRecord ?? false,
})

export const suitsOf = (v: SuitsValues): Suits => ({
  ...v,
  years: v.years ?? 0,
  employeesMin: v.employeesMin ?? 0,
  employeesMax: v.employeesMax ?? 0,
  revenueMin: Math.round((v.revenueMin ?? 0) * tenThousandYuan),
  revenueMax: Math.round((v.revenueMax ?? 0) * tenThousandYuan),
})

const linesOf = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)

/** Whether money of this kind has to be paid back, so that it may ask for a guarantee. */
export const lends = (v: { kind: string; financingKind: string }): boolean =>
  v.kind === 'financing' && (v.financingKind === 'debt' || v.financingKind === 'mortgage')

/** What is sent of what was typed; asked are the keys of the fields that administrators ask of its kind. Rounding takes away what binary fractions add: 4.35 % is 435. */
export function toContent(v: ProductValues, asked: string[] = []): Content {
  const financing = v.kind === 'financing'
  const number = (n: number | null, unit: number) => (financing ? Math.round((n ?? 0) * unit) : 0)
  return {
    name: v.name,
    kind: v.kind,
    financingKind: financing ? v.financingKind : '',
    summary: v.summary,
    target: v.target,
    rateMin: number(v.rateMin, 100),
    rateMax: number(v.rateMax, 100),
    amountMin: number(v.amountMin, tenThousandYuan),
    amountMax: number(v.amountMax, tenThousandYuan),
    termMin: number(v.termMin, 1),
    termMax: number(v.termMax, 1),
    guarantees: lends(v) ? v.guarantees : [],
    cost: financing ? '' : v.cost,
    priceText: financing ? '' : v.priceText,
    subsidy: !financing && v.cost === 'subsidised' ? v.subsidy : '',
    venues: financing ? [] : v.venues,
    duration: financing ? '' : v.duration,
    deliverables: financing ? [] : linesOf(v.deliverables),
    conditions: linesOf(v.conditions),
    days: v.days ?? 0,
    listFrom: v.listFrom ?? '',
    validUntil: v.validUntil ?? '',
    materials: linesOf(v.materials),
    steps: linesOf(v.steps),
    description: v.description,
    suits: suitsOf(v.suits),
    cover: v.cover.map(({ id }) => ({ id })),
    files: v.files.map(({ id }) => ({ id })),
    extra: asked.filter((key) => v.fields[key]?.length).map((key) => ({ key, values: v.fields[key] ?? [] })),
  }
}

/** A kept edition as it is typed again. */
export function toValues(c: Content): ProductValues {
  const number = (n: number, unit: number) => (n === 0 ? null : n / unit)
  return {
    ...emptyProduct(),
    name: c.name,
    kind: c.kind,
    financingKind: c.financingKind,
    summary: c.summary,
    target: c.target,
    rateMin: number(c.rateMin, 100),
    rateMax: number(c.rateMax, 100),
    amountMin: number(c.amountMin, tenThousandYuan),
    amountMax: number(c.amountMax, tenThousandYuan),
    termMin: number(c.termMin, 1),
    termMax: number(c.termMax, 1),
    guarantees: c.guarantees,
    cost: c.cost,
    priceText: c.priceText,
    subsidy: c.subsidy,
    venues: c.venues,
    duration: c.duration,
    deliverables: c.deliverables.join('\n'),
    conditions: c.conditions.join('\n'),
    days: number(c.days, 1),
    listFrom: c.listFrom,
    validUntil: c.validUntil,
    materials: c.materials.join('\n'),
    steps: c.steps.join('\n'),
    description: c.description,
    suits: suitsValues(c.suits),
    cover: [...(c.cover ?? [])],
    files: [...(c.files ?? [])],
    fields: Object.fromEntries((c.extra ?? []).map((a) => [a.key, [...a.values]])),
  }
}

/** What keeps a draft from being saved. What a submission lacks the server says at each field. */
export function checkProduct(v: ProductValues): Partial<Record<keyof ProductValues, string>> {
  const found: Partial<Record<keyof ProductValues, string>> = {}
  if ([...v.name.trim()].length < 2) found.name = '请填写产品名称，至少 2 个字'
  if (!v.kind) found.kind = '请选择服务类别'
  if (v.listFrom && v.validUntil && v.validUntil < v.listFrom) found.validUntil = '有效期不能早于上架日期'
  if (v.kind !== 'financing') return found
  if (!v.financingKind) found.financingKind = '请选择融资类型'
  const upside = (low: number | null, high: number | null) => low !== null && high !== null && low > high
  if (upside(v.rateMin, v.rateMax)) found.rateMax = '上限不能小于下限'
  if (upside(v.amountMin, v.amountMax)) found.amountMax = '上限不能小于下限'
  if (upside(v.termMin, v.termMax)) found.termMax = '上限不能小于下限'
  return found
}
