import { describe, expect, it } from 'vitest'
import { clockTime, monday, percent } from './labels'
import { changedHours, weekOfHours, wrongHours } from './hours'

describe('supervision', () => {
  it.each([
    [0, '0:00'],
    [75, '1:15'],
    [3725, '1:02:05'],
    [-3, '0:00'],
  ])('writes %i seconds as %s', (seconds, text) => expect(clockTime(seconds)).toBe(text))

  it('writes shares', () => expect(percent(0.9504)).toBe('95.0%'))

  it.each([
    ['2026-11-29', 0, '2026-11-23'],
    ['2026-11-30', 0, '2026-11-30'],
    ['2026-11-29', 1, '2026-11-30'],
    ['2027-01-01', -1, '2026-12-21'],
  ])('finds the Monday of %s, %i weeks on', (day, weeks, want) => expect(monday(day, weeks)).toBe(want))
})

describe('desk hours', () => {
  it('shows all seven days, Monday first, and those nobody set as closed', () => {
    const week = weekOfHours([{ weekday: 0, from: '09:00', to: '12:00', seats: 2 }])
    expect(week.map((d) => d.weekday)).toEqual([1, 2, 3, 4, 5, 6, 0])
    expect(week[6]).toEqual({ weekday: 0, from: '09:00', to: '12:00', seats: 2 })
    expect(week[0]!.seats).toBe(0)
  })

  it('sends the days that were changed, with the version that was seen', () => {
    const before = weekOfHours([{ weekday: 1, from: '08:30', to: '17:30', seats: 2, version: 4 }])
    const now = before.map((d) => (d.weekday === 1 ? { ...d, seats: 3 } : { ...d }))
    expect(changedHours(before, now)).toEqual([{ weekday: 1, from: '08:30', to: '17:30', seats: 3, version: 4 }])
  })

  it('names the day whose hours end before they begin', () => {
    const days = weekOfHours([
      { weekday: 1, from: '17:30', to: '08:30', seats: 1 },
      { weekday: 2, from: '08:30', to: '24:00', seats: 1 },
      { weekday: 3, from: '', to: '17:30', seats: 1 },
    ])
    expect(Object.keys(wrongHours(days))).toEqual(['1', '3'])
  })
})
