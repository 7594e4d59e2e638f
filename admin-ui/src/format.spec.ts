import { describe, expect, it } from 'vitest'
import { ago, dateTime, duration, fileSize, money } from './format'

describe('format', () => {
  it('shows Beijing time', () => {
    expect(dateTime('2026-11-22T06:05:00Z')).toBe('2026年11月22日 14:05')
    expect(dateTime('2026-12-31T16:00:00Z')).toBe('2027年1月1日 00:00')
    expect(dateTime(null)).toBe('—')
    expect(dateTime('nonsense')).toBe('—')
  })
  it('is relative only under a day', () => {
    const now = Date.parse('2026-11-22T06:05:00Z')
    expect(ago('2026-11-22T06:04:30Z', now)).toBe('刚刚')
    expect(ago('2026-11-22T05:45:00Z', now)).toBe('20 分钟前')
    expect(ago('2026-11-22T02:45:00Z', now)).toBe('3 小时前')
    expect(ago('2026-11-21T06:05:00Z', now)).toBe('2026年11月21日 14:05')
  })
  it('says lengths of time', () => {
    expect([30_000, 60_000, 12_000_000, 3_600_000, 190_800_000].map(duration)).toEqual([
      '不足 1 分钟',
      '1 分钟',
      '3 小时 20 分',
      '1 小时',
      '2 天 5 小时',
    ])
    expect(duration(-7_200_000)).toBe('2 小时')
  })
  it('says amounts and sizes', () => {
    expect([50_000_000, 123_450, 100_00, 12_345_600, 0].map(money)).toEqual([
      '50 万元',
      '1,234.50 元',
      '100 元',
      '123,456 元',
      '0 元',
    ])
    expect(money(undefined)).toBe('—')
    expect([12, 2048, 1_500_000].map(fileSize)).toEqual(['12 B', '2 KB', '1.4 MB'])
  })
})
