import { describe, expect, it } from 'vitest'

import type { ProductDetail } from './api'
import { compareRows, idsOf } from './compare'

const product = (id: number, rate: string, validUntil = ''): ProductDetail =>
  ({
    id,
    name: `贷款${id}`,
    institutionName: '运河银行',
    facts: [{ label: '年利率', value: rate }],
    extra: [{ label: '面向首贷户', value: id === 1 ? '是' : '否' }],
    target: '小微企业',
    materials: ['营业执照'],
    steps: ['在线申请'],
    validUntil,
  }) as unknown as ProductDetail

describe('comparing', () => {
  it('takes the first three different products of the address', () => {
    expect(idsOf(['3', '3', 'x', '-1', '5', '7', '9'])).toEqual([3, 5, 7])
    expect(idsOf('4')).toEqual([4])
    expect(idsOf(undefined)).toEqual([])
  })
  it('marks what differs and leaves out what none says', () => {
    const rows = compareRows([product(1, '3.65%'), product(2, '4%')])
    expect(rows.find((row) => row.label === '年利率')).toEqual({
      label: '年利率',
      values: ['3.65%', '4%'],
      differs: true,
    })
    expect(rows.find((row) => row.label === '面向首贷户')?.values).toEqual(['是', '否'])
    expect(rows.find((row) => row.label === '提供机构')?.differs).toBe(false)
    expect(rows.some((row) => row.label === '有效期至')).toBe(false)
    const dated = compareRows([product(1, '4%', '2026-12-31'), product(2, '4%')])
    expect(dated.find((row) => row.label === '有效期至')?.values).toEqual(['2026-12-31', '—'])
  })
})
