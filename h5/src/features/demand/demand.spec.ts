import { describe, expect, it } from 'vitest'

import type { Demand, DemandQuote, HallItem } from './api'
import { courseOf, demandFacts, emptyForm, groups, quoteFacts, wish } from './labels'

const demand = {
  number: 'XQ20261130-000001',
  kindName: '财税服务',
  lends: false,
  budget: '1.2 万元以内',
  term: 0,
  until: '2026-12-10',
  wantedBy: '2026-12-31',
  place: '',
  contactName: '王芳',
  phone: '138****0001',
  contactNote: '',
  named: false,
  course: [{ label: '提交审核', by: '麦香', text: '', at: '2026-11-30T02:00:00Z' }],
} as unknown as Demand
const quote = {
  productName: '代理记账',
  price: 0,
  days: 5,
  amount: 50_0000_00,
  rate: 365,
  term: 12,
  text: '含年报',
  state: 'live',
  valid: false,
  validUntil: '2026-11-01',
  changedAt: '2026-11-30T02:00:00Z',
} as unknown as DemandQuote

const valueOf = (facts: { label: string; value: string }[], label: string) =>
  facts.find((one) => one.label === label)?.value

describe('what is asked for', () => {
  it('names the amount and the term of financing, the budget of a service', () => {
    expect(wish({ lends: true, budget: '50 万元', term: 12 } as HallItem)).toBe('需要 50 万元，12 个月')
    expect(wish({ lends: false, budget: '面议' } as HallItem)).toBe('预算 面议')
  })
  it('leaves out what was not filled in', () => {
    const labels = demandFacts(demand).map((one) => one.label)
    expect(labels).not.toContain('服务地点')
    expect(labels).not.toContain('使用期限')
    expect(valueOf(demandFacts(demand), '大厅显示')).toBe('不公开企业名称')
  })
})

describe('quotes', () => {
  it('says that a service is free and that its day has passed', () => {
    const facts = quoteFacts(demand, quote)
    expect(valueOf(facts, '报价')).toBe('免费')
    expect(valueOf(facts, '有效期至')).toContain('已过期')
  })
  it('shows amount, rate and term of financing', () => {
    const facts = quoteFacts({ ...demand, lends: true }, quote)
    expect(valueOf(facts, '可提供金额')).toBe('50 万元')
    expect(valueOf(facts, '利率或费率')).toBe('3.65%')
    expect(valueOf(facts, '报价')).toBeUndefined()
  })
})

it('has every state in exactly one tab', () => {
  const all = groups.flatMap((one) => one.states)
  expect([...all].sort()).toEqual(['closed', 'draft', 'expired', 'open', 'picked', 'returned', 'review'])
})

it('begins with an empty form and tells the course', () => {
  expect(emptyForm('tax')).toMatchObject({ kind: 'tax', named: false, fileIds: [] })
  expect(courseOf(demand)[0]).toMatchObject({ title: '提交审核', note: undefined })
})
