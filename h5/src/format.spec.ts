import { describe, expect, it } from 'vitest'

import { ago, dateTime, money } from './format'

describe('format', () => {
  it('shows Beijing time, whatever the day is elsewhere', () => {
    expect(dateTime('2026-11-21T16:05:00Z')).toBe('2026年11月22日 00:05')
  })

  it('is relative under a day only', () => {
    const now = new Date('2026-11-22T06:00:00Z')
    expect(ago('2026-11-22T05:59:40Z', now)).toBe('刚刚')
    expect(ago('2026-11-22T05:55:00Z', now)).toBe('5 分钟前')
    expect(ago('2026-11-22T03:00:00Z', now)).toBe('3 小时前')
    expect(ago('2026-11-21T06:00:00Z', now)).toBe('2026年11月21日 14:00')
  })

  it('writes fen the way people say amounts', () => {
    expect(money(50_000_000)).toBe('50 万元')
    expect(money(12_500_000_000)).toBe('1.25 亿元')
    expect(money(800_000)).toBe('8,000 元')
  })
})
