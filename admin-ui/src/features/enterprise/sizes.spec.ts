import { describe, expect, it } from 'vitest'
import type { SizePreview } from './golden'
import { addPreview, readRow, rowsOf, typedRow } from './sizes'

const typed = {
  name: '工业',
  codes: '06 07，08',
  employees: '1000/300/20',
  revenue: '40000、2000、300',
  assets: '',
  byTitle: false,
}

describe('a row of thresholds', () => {
  it('is read as it is typed, and comes back', () => {
    const row = { name: '工业', codes: ['06', '07', '08'], employees: [1000, 300, 20], revenue: [40000, 2000, 300] }
    expect(readRow('size', typed)).toEqual(row)
    expect(readRow('size', typedRow(row))).toEqual(row)
  })
  it.each([
    ['size', { employees: '1000/300' }, '三个下限'],
    ['size', { employees: '多/中/少' }, '应为整数'],
    ['size', { revenue: '1.5/1/0' }, '应为整数'],
    ['scale', { employees: '', revenue: '2000/500/1' }, '应为一个数'],
  ] as const)('says what is wrong: %s %o', (kind, change, words) => {
    expect(readRow(kind, { ...typed, ...change })).toContain(words)
  })
  it('begins with the edition that holds', () => {
    const scale = {
      kind: 'scale',
      scale: [
        { name: '零售业', codes: ['52'], revenue: 500 },
        { name: '建筑业', codes: ['47'], revenue: 0, byTitle: true },
      ],
    }
    expect(rowsOf(scale as never).map((r) => readRow('scale', r))).toEqual([
      { name: '零售业', codes: ['52'], revenue: [500] },
      { name: '建筑业', codes: ['47'], byTitle: true },
    ])
  })
})

describe('a preview', () => {
  const part = (over: object): SizePreview => ({
    seen: 10,
    reckoned: 8,
    changed: 2,
    moves: [{ from: '小型', to: '微型', count: 2 }],
    examples: [],
    ...over,
  })
  it('adds up part by part', () => {
    const sum = addPreview(
      addPreview(null, part({ next: '5000' })),
      part({
        moves: [
          { from: '小型', to: '微型', count: 1 },
          { from: '中型', to: '小型', count: 1 },
        ],
      }),
    )
    expect(sum).toMatchObject({ seen: 20, reckoned: 16, changed: 4, next: undefined })
    expect(sum.moves).toEqual([
      { from: '小型', to: '微型', count: 3 },
      { from: '中型', to: '小型', count: 1 },
    ])
  })
})
