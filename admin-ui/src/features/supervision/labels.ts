import type { SeatState } from './api'

export const seatStates: Record<SeatState, string> = {
  free: '空闲',
  talking: '通话',
  after: '话后处理',
  break: '小休',
  away: '离席',
  off: '离线',
}

/** What a person may choose; the telephone sets 通话 by itself, but a desk without one does it by hand. */
export const choices: SeatState[] = ['free', 'talking', 'after', 'break', 'away', 'off']

export const tones: Record<SeatState, 'success' | 'primary' | 'warning' | 'info'> = {
  free: 'success',
  talking: 'primary',
  after: 'primary',
  break: 'warning',
  away: 'warning',
  off: 'info',
}

/** 75 as 1:15, an hour and more as 1:02:05. */
export function clockTime(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds))
  const two = (n: number) => String(n).padStart(2, '0')
  const hours = Math.floor(s / 3600)
  const rest = `${hours ? two(Math.floor((s % 3600) / 60)) : Math.floor(s / 60)}:${two(s % 60)}`
  return hours ? `${hours}:${rest}` : rest
}

/** A share as 95.0%. */
export const percent = (share: number) => `${(100 * share).toFixed(1)}%`

/** The Monday of the week a day is in, shifted by whole weeks; days are as 2026-11-29. */
export function monday(day: string, weeks = 0): string {
  const d = new Date(`${day}T00:00:00Z`)
  d.setUTCDate(d.getUTCDate() - ((d.getUTCDay() + 6) % 7) + 7 * weeks)
  return d.toISOString().slice(0, 10)
}
