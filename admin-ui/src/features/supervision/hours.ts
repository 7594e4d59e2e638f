import type { Hours } from './api'

/** All seven days, Monday first; a day nobody has set is closed. */
export function weekOfHours(set: Hours[]): Hours[] {
  return [1, 2, 3, 4, 5, 6, 0].map((weekday) => ({
    ...(set.find((h) => h.weekday === weekday) ?? { weekday, from: '08:30', to: '17:30', seats: 0 }),
  }))
}

/** The days that were changed: the others are left to whoever else changes them meanwhile. */
export function changedHours(before: Hours[], now: Hours[]): Hours[] {
  return now.filter((d) => {
    const was = before.find((b) => b.weekday === d.weekday)
    return !was || was.from !== d.from || was.to !== d.to || was.seats !== d.seats
  })
}

/** What is wrong with a day, by its number. Times of one length compare as words. */
export function wrongHours(days: Hours[]): Record<number, string> {
  const out: Record<number, string> = {}
  for (const d of days) {
    if (!d.from || !d.to) out[d.weekday] = '请选择开始和结束时间'
    else if (d.to <= d.from) out[d.weekday] = '结束时间须晚于开始时间'
  }
  return out
}
