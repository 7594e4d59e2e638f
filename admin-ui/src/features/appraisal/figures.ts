import type { Figure } from './api'

/** "83.33%"; a dash where there is no case. */
export const percent = (share: number | undefined): string =>
  share === undefined ? '—' : `${(share / 100).toFixed(2)}%`

/** "90.00" of 100 points. */
export const points = (score: number | undefined): string => (score === undefined ? '—' : (score / 100).toFixed(2))

/** What a figure is made of, for the tip beside it. */
export const parts = (f: Figure): string =>
  f.parts.map((p) => `${p.label} ${p.n}${p.counted ? '' : '（不计）'}`).join('，') || '没有件'
