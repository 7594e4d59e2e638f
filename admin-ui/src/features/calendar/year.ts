import type { Definition, Exception, Period } from './api'

export const weekdays = ['日', '一', '二', '三', '四', '五', '六']

export interface Day {
  /** 2026-10-01 */
  date: string
  day: number
  works: boolean
  /** Set when it differs from its weekday, or names a holiday. */
  exception?: Exception
}

export interface Month {
  month: number
  /** Cells from Monday on; null before the first day. */
  cells: (Day | null)[]
}

const two = (n: number): string => String(n).padStart(2, '0')

/** The months of a year with what each day is. Days are those of Beijing, whatever the browser's zone. */
export function months(year: number, definition: Definition): Month[] {
  const exceptions = new Map(definition.days.map((d) => [d.day, d]))
  return Array.from({ length: 12 }, (_, index) => {
    const month = index + 1
    const first = new Date(Date.UTC(year, index, 1)).getUTCDay()
    const cells: Month['cells'] = Array.from({ length: (first + 6) % 7 }, () => null)
    const length = new Date(Date.UTC(year, month, 0)).getUTCDate()
    for (let day = 1; day <= length; day++) {
      const date = `${year}-${two(month)}-${two(day)}`
      const exception = exceptions.get(date)
      const worked = (definition.weekly[(first + day - 1) % 7]?.length ?? 0) > 0
      cells.push({ date, day, works: exception ? exception.work : worked, exception })
    }
    return { month, cells }
  })
}

/** "10月1日（四），放假，国庆节". */
export function sayDay(day: Day): string {
  const [, month, date] = day.date.split('-').map(Number)
  const weekday = weekdays[new Date(`${day.date}T00:00:00Z`).getUTCDay()]
  const what = day.exception ? (day.works ? '调休上班' : '放假') : day.works ? '工作日' : '休息'
  return [`${month}月${date}日（${weekday}）`, what, day.exception?.name].filter(Boolean).join('，')
}

/** The definition with a day set, or put back to what its weekday says. */
export function setDay(definition: Definition, date: string, kind: 'off' | 'work' | 'plain', name: string): Definition {
  const days = definition.days.filter((d) => d.day !== date)
  if (kind !== 'plain') days.push({ day: date, work: kind === 'work', name: name.trim() })
  days.sort((a, b) => a.day.localeCompare(b.day))
  return { ...definition, days }
}

export const timeOf = (minutes: number): string => `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`

/** "09:00" to minutes, 24:00 too; NaN for anything else. */
export function minutesOf(time: string): number {
  const match = /^(\d{1,2}):(\d{2})$/.exec(time.trim())
  if (!match) return NaN
  const minutes = Number(match[1]) * 60 + Number(match[2])
  return Number(match[2]) < 60 && minutes <= 24 * 60 ? minutes : NaN
}

/** "09:00-12:00 14:00-18:00". */
export const periodsText = (periods: Period[]): string =>
  periods.map((p) => `${timeOf(p.from)}-${timeOf(p.until)}`).join(' ')

/** Reads what periodsText writes, however it was spaced; null when it cannot be read. Empty is a day off. */
export function readPeriods(text: string): Period[] | null {
  const parts = text
    .replaceAll('：', ':')
    .replaceAll(/\s*[-–—~～至]\s*/g, '-')
    .split(/[\s,，、;；]+/)
    .filter(Boolean)
  const periods: Period[] = []
  for (const part of parts) {
    const [from, until, more] = part.split('-')
    const p = { from: minutesOf(from ?? ''), until: minutesOf(until ?? '') }
    if (more !== undefined || Number.isNaN(p.from) || Number.isNaN(p.until) || p.from >= p.until) return null
    const before = periods.at(-1)
    if (before && p.from < before.until) return null
    periods.push(p)
  }
  return periods
}
