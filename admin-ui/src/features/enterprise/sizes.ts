import type { SizeEdition, SizeKind, SizePreview, SizeRow } from './golden'

/** A row of an edition as it is typed: bounds as 1000/300/20, codes apart by blanks. */
export interface TypedRow {
  name: string
  codes: string
  employees: string
  revenue: string
  assets: string
  byTitle: boolean
}

const bounds = (list: number[] | null | undefined): string => (list ?? []).join('/')
const numbers = (s: string): number[] =>
  s
    .split(/[/／、，,\s]+/)
    .filter(Boolean)
    .map(Number)

export const typedRow = (r: SizeRow): TypedRow => ({
  name: r.name,
  codes: (r.codes ?? []).join(' '),
  employees: bounds(r.employees),
  revenue: bounds(r.revenue),
  assets: bounds(r.assets),
  byTitle: r.byTitle ?? false,
})

/** What was typed, or in words what is wrong with it. */
export function readRow(kind: SizeKind, r: TypedRow): SizeRow | string {
  const name = r.name.trim() || '未命名的行业'
  const row: SizeRow = { name: r.name.trim(), codes: r.codes.split(/[\s,，、]+/).filter(Boolean) }
  for (const [key, word] of [
    ['employees', '从业人员'],
    ['revenue', '营业收入'],
    ['assets', '资产总额'],
  ] as const) {
    const list = numbers(r[key])
    if (list.length === 0) continue
    if (list.some((n) => !Number.isInteger(n) || n < 0)) return `${name}的${word}应为整数，例如 1000/300/20`
    const want = kind === 'size' ? 3 : 1
    if (list.length !== want)
      return kind === 'size' ? `${name}的${word}应为大、中、小型三个下限` : `${name}的${word}应为一个数`
    row[key] = list
  }
  if (r.byTitle) row.byTitle = true
  return row
}

/** The rows of an edition that holds, to begin a new one with. */
export const rowsOf = (e: SizeEdition): TypedRow[] =>
  e.kind === 'scale'
    ? (e.scale ?? []).map((r) =>
        typedRow({ name: r.name, codes: r.codes, revenue: r.revenue ? [r.revenue] : [], byTitle: r.byTitle }),
      )
    : (e.rows ?? []).map((r) => typedRow(r as SizeRow))

/** Adds a part of a preview to what was reckoned before. */
export function addPreview(sum: SizePreview | null, part: SizePreview): SizePreview {
  if (!sum) return part
  const moves = [...(sum.moves ?? [])]
  for (const m of part.moves ?? []) {
    const i = moves.findIndex((x) => x.from === m.from && x.to === m.to)
    if (i < 0) moves.push(m)
    else moves[i] = { ...moves[i]!, count: moves[i]!.count + m.count }
  }
  return {
    seen: sum.seen + part.seen,
    reckoned: sum.reckoned + part.reckoned,
    changed: sum.changed + part.changed,
    moves,
    examples: [...(sum.examples ?? []), ...(part.examples ?? [])].slice(0, 50),
    next: part.next,
  }
}
