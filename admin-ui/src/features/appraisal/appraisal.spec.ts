import { describe, expect, it } from 'vitest'
import type { Figure } from './api'
import { months } from '@/format'
import { parts, percent, points } from './figures'

describe('figures', () => {
  it('shows a dash where there is no case', () => {
    expect([percent(undefined), points(undefined), percent(8333), points(10000)]).toEqual([
      '—',
      '—',
      '83.33%',
      '100.00',
    ])
  })

  it('names the months by the calendar of Beijing', () => {
    expect(months(new Date('2026-12-31T17:00:00Z'), 3)).toEqual(['2027-01', '2026-12', '2026-11'])
  })

  it('says what a figure leaves out', () => {
    const f = {
      rate: 'solution',
      good: 1,
      of: 1,
      parts: [
        { class: 'solved', label: '已解决', n: 1, counted: true, good: true },
        { class: 'unreached', label: '未接通', n: 2, counted: false, good: false },
      ],
    } as Figure
    expect(parts(f)).toBe('已解决 1，未接通 2（不计）')
  })
})
