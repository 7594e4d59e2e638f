import type { Figure } from './api'

/** "83.33%"; a dash where there is no case. */
export const percent = (share: number | undefined): string =>
  share === undefined ? '—' : `${(share / 100).toFixed(2)}%`

/** "90.00" of 100 points. */
export const points = (score: number | undefined): string => (score === undefined ? '—' : (score / 100).toFixed(2))

/** What a figure is made of, for the tip beside it. */
export const parts = (f: Figure): string =>
  f.parts.map((p) => `${p.label} ${p.n}${p.counted ? '' : '（不计）'}`).join('，') || '没有件'

/** The months that may be chosen, the newest first, as 2026-11. */
export function months(now: Date, n: number): string[] {
  const beijing = new Date(now.getTime() + 8 * 3600_000)
  const out: string[] = []
  for (let i = 0; i < n; i++) {
    const d = new Date(Date.UTC(beijing.getUTCFullYear(), beijing.getUTCMonth() - i, 1))
    out.push(`${d.getUTCFullYear()}-${String(d.getUTCMonth() + 1).padStart(2, '0')}`)
  }
  return out
}

export const monthText = (m: string): string => `${m.slice(0, 4)}年${Number(m.slice(5))}月`
