import type { Clause, GroupKind } from './conditionTree'
import type { FieldInfo } from './library'

export const groupWords: Record<GroupKind, string> = {
  all: '以下条件全部满足',
  any: '以下条件满足任意一条',
  atLeast: '以下条件至少满足若干条',
  not: '不得有以下任何一种情形',
}

const orders: Record<string, string> = {
  gte: '不低于（含）',
  gt: '超过（不含）',
  lte: '不超过（含）',
  lt: '低于（不含）',
  between: '在范围内',
  eq: '等于',
  ne: '不等于',
  ratio_gte: '占另一项的比例不低于',
}
const words: Record<string, Record<string, string>> = {
  count: orders,
  money: orders,
  ratio: { ...orders, ratio_gte: '' },
  date: {
    years_since_gte: '至今满（含）',
    years_since_lte: '至今不超过（含）',
    years_since_lt: '至今不满（不含）',
    gte: '不早于',
    gt: '晚于',
    lte: '不晚于',
    lt: '早于',
    between: '在范围内',
    eq: '是这一天',
    ne: '不是这一天',
  },
  category: { in: '是其中之一', under: '属于（含下级）', eq: '是', ne: '不是' },
  flag: { eq: '是', ne: '不是' },
  holdings: { has: '持有有效的', notOn: '未列入' },
}

/** The operators of a field with their words, the usual first. */
export function opsOf(field: FieldInfo | undefined): { op: string; text: string }[] {
  if (!field) return []
  const known = words[field.kind] ?? {}
  return Object.entries(known)
    .filter(([op, text]) => text !== '' && field.ops.includes(op) && !(op === 'under' && !field.tree))
    .filter(([op]) => !(op === 'has' && field.event))
    .map(([op, text]) => ({ op, text: op === 'notOn' && field.event ? '没有' : text }))
}

type Over = NonNullable<Clause['over']>
const overs: Record<Over, string> = { each: '各年均', any: '任意一年', mean: '平均', total: '合计' }

/** How the years of a clause can be taken together: sums of what adds up, and no mean of a share of two sums. */
export function oversOf(field: FieldInfo, of?: string): { over: Over; text: string }[] {
  return (Object.keys(overs) as Over[])
    .filter((over) => (over !== 'total' || field.booked) && !(over === 'mean' && of))
    .map((over) => ({ over, text: overs[over] }))
}

const digits = ['', '一', '两', '三', '四', '五', '六', '七', '八', '九', '十']
const lastYears = (n: number) => `近${digits[n] ?? n}年`

/** The clause asked of the last years, or of what is known now. */
export function withYears(clause: Clause, field: FieldInfo, years: number): Clause {
  const out = { ...clause }
  delete out.years
  delete out.over
  if (years > 0 && field.yearly) {
    out.years = years
    out.over = oversOf(field, out.of).find((o) => o.over === clause.over)?.over ?? 'each'
  }
  return out
}

export const isYears = (op: string) => op.startsWith('years_since')

/** The clause when another field is chosen: the usual operator and unit, nothing of the value before. */
export function forField(clause: Clause, field: FieldInfo): Clause {
  const kept = { label: clause.label, quote: clause.quote, span: clause.span }
  const op = field.tree ? 'under' : (opsOf(field)[0]?.op ?? 'human')
  return withOp({ ...kept, field: field.name, op }, field, op)
}

/** The clause when another operator is chosen: the value stays where it can. */
export function withOp(clause: Clause, field: FieldInfo, op: string): Clause {
  const out: Clause = { ...clause, op }
  if (op !== 'between') delete out.ends
  if (op !== 'has' && op !== 'notOn') {
    delete out.on
    delete out.within
  }
  if (op !== 'ratio_gte') delete out.of
  const single = (v: unknown) => (Array.isArray(v) ? v[0] : v)
  switch (field.kind) {
    case 'category':
    case 'holdings': {
      const codes = Array.isArray(clause.value) ? clause.value : clause.value ? [clause.value] : []
      out.value = op === 'eq' || op === 'ne' ? codes[0] : codes
      break
    }
    case 'flag':
      out.value = clause.value ?? true
      break
    default:
      out.value = op === 'between' ? [single(clause.value) ?? '', ''] : (single(clause.value) ?? '')
  }
  if (out.years) Object.assign(out, withYears(out, field, out.years))
  if (isYears(op)) out.unit = '年'
  else if (op === 'ratio_gte') out.unit = '%'
  else if (field.units.length === 0) delete out.unit
  else if (!out.unit || !field.units.includes(out.unit)) out.unit = field.units[0]
  return out
}

/** What a clause asks, in one line. */
export function clauseText(clause: Clause, fields: Map<string, FieldInfo>): string {
  if (clause.op === 'human') return clause.label || clause.quote || '（请写明需人工判定的内容）'
  const field = clause.field ? fields.get(clause.field) : undefined
  if (!field) return clause.field ? `未知字段 ${clause.field}` : '（请选择字段）'
  const several = clause.years
    ? lastYears(clause.years) + (clause.over === 'each' ? '均' : overs[clause.over ?? 'each'])
    : ''
  const name = `${clause.label || (clause.years && field.yearly) || field.label}${several && `：${several}`}`
  const unit = clause.unit ?? ''
  const code = (c: unknown) => field.codes.find((x) => x.code === c)?.label ?? String(c)
  const shown = (v: unknown) => (v === '' || v === undefined || v === null ? '…' : `${String(v)} ${unit}`.trim())
  const list = (Array.isArray(clause.value) ? clause.value : [clause.value]).filter((x) => x !== undefined && x !== '')
  switch (clause.op) {
    case 'between': {
      const pair = Array.isArray(clause.value) ? clause.value : []
      const [open, close] = [clause.ends?.[0] === '(', clause.ends?.[1] === ')']
      return `${name} ${shown(pair[0])}${open ? '（不含）' : ''} 至 ${shown(pair[1])}${close ? '（不含）' : ''}`
    }
    case 'has':
    case 'notOn': {
      const when = clause.on ? `在 ${clause.on} ` : clause.within ? `近 ${clause.within} 年内` : ''
      const none = field.event ? (clause.within ? '没有' : '没有公示期内的') : '未列入'
      const verb = clause.op === 'notOn' ? none : clause.within ? '取得' : '持有有效的'
      return `${name}：${when}${verb} ${list.map(code).join('、') || '…'}`
    }
    case 'ratio_gte':
      if (clause.of)
        return `${name} 占${fields.get(clause.of)?.[clause.years ? 'yearly' : 'label'] ?? clause.of}的比例不低于 ${shown(clause.value)}`
  }
  if (field.kind === 'category') {
    const verb = words['category']?.[clause.op] ?? clause.op
    return `${name} ${verb} ${list.map(code).join('、') || '…'}`
  }
  if (field.kind === 'flag') return `${name} ${clause.value === (clause.op === 'eq') ? '是' : '否'}`
  const verb = (words[field.kind]?.[clause.op] ?? clause.op).replace(/（.*）/, '')
  return `${name} ${verb} ${shown(clause.value)}`
}
