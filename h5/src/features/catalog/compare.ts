import type { ProductDetail } from './api'

export interface CompareRow {
  label: string
  values: string[]
  differs: boolean
}

/** The products the address names: the first three different ones. */
export function idsOf(asked: unknown): number[] {
  const list = (Array.isArray(asked) ? asked : [asked])
    .map(Number)
    .filter((id) => Number.isSafeInteger(id) && id > 0)
  return [...new Set(list)].slice(0, 3)
}

/** Products side by side; what none of them says is left out. */
export function compareRows(products: ProductDetail[]): CompareRow[] {
  const labels = [...new Set(products.flatMap((p) => p.facts.map((fact) => fact.label)))]
  const extra = [...new Set(products.flatMap((p) => p.extra.map((fact) => fact.label)))]
  const lines: [string, (p: ProductDetail) => string][] = [
    ['提供机构', (p) => p.institutionName],
    ...labels.map((label): [string, (p: ProductDetail) => string] => [
      label,
      (p) => p.facts.find((fact) => fact.label === label)?.value ?? '',
    ]),
    ...extra.map((label): [string, (p: ProductDetail) => string] => [
      label,
      (p) => p.extra.find((fact) => fact.label === label)?.value ?? '',
    ]),
    ['适用对象', (p) => p.target],
    ['申请材料', (p) => (p.materials ?? []).join('\n')],
    ['办理流程', (p) => (p.steps ?? []).join('\n')],
    ['有效期至', (p) => p.validUntil],
  ]
  return lines
    .map(([label, value]) => ({ label, values: products.map(value) }))
    .filter((row) => row.values.some((value) => value !== ''))
    .map((row) => ({
      label: row.label,
      values: row.values.map((value) => value || '—'),
      differs: new Set(row.values).size > 1,
    }))
}
