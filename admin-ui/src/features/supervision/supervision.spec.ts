import { describe, expect, it } from 'vitest'
import { clockTime, monday, percent } from './labels'

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
