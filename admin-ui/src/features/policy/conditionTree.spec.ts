import { describe, expect, it } from 'vitest'
import { clauseText, forField, opsOf, oversOf, withOp, withYears } from './clauseWords'
import {
  fromConditions,
  isGroup,
  moveNode,
  newLeaf,
  removeNode,
  spanOf,
  tierGroup,
  toConditions,
  wrapNode,
  type Clause,
} from './conditionTree'
import { fenOf, wanOf, type Content, type FieldInfo } from './library'
import { merge } from './merge'

const leaf = (field: string): Clause => ({ field, op: 'gte', value: 1, unit: '人' })
const staff: FieldInfo = {
  name: 'employees',
  label: '从业人员',
  kind: 'count',
  units: ['人'],
  ops: ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'between', 'human'],
  tree: false,
  open: true,
  codes: [],
  maxDays: 0,
  ask: '',
}
const industry: FieldInfo = {
  ...staff,
  name: 'industry',
  label: '行业',
  kind: 'category',
  units: [],
  ops: ['eq', 'ne', 'in', 'under', 'human'],
  tree: true,
  codes: [{ code: 'C', label: '制造业' }],
}

describe('the tree of conditions', () => {
  const written = {
    all: [leaf('a'), { any: [leaf('b'), { not: leaf('c') }] }, { atLeast: { k: 2, of: [leaf('d'), leaf('e')] } }],
  }
  it('writes what it reads, and knows where each node stands', () => {
    const root = fromConditions(written)
    const { conditions, at } = toConditions(root)
    expect(conditions).toEqual(written)
    const group = root.items[1]!
    expect(isGroup(group) && at.get('condition.all[1].any[1]')).toBe(isGroup(group) && group.items[1]!.uid)
    expect(at.has('condition.all[2].atLeast.of[1]')).toBe(true)
    expect(toConditions(fromConditions(null)).conditions).toBeNull()
    expect(toConditions(fromConditions({ not: { any: [leaf('a'), leaf('b')] } })).conditions).toEqual({
      all: [{ not: { any: [leaf('a'), leaf('b')] } }],
    })
  })
  it('moves a node through groups and out of them, and back', () => {
    const root = fromConditions(written)
    const a = root.items[0]!.uid
    const before = JSON.stringify(toConditions(root).conditions)
    let steps = 0
    while (moveNode(root, a, true)) steps++
    expect(steps).toBe(10)
    expect(root.items.at(-1)!.uid).toBe(a)
    while (moveNode(root, a, false)) steps--
    expect(steps).toBe(0)
    expect(JSON.stringify(toConditions(root).conditions)).toBe(before)
  })
  it('removes a node and says whose turn it is', () => {
    const root = fromConditions({ all: [leaf('a'), leaf('b')] })
    const [a, b] = root.items.map((n) => n.uid)
    expect(removeNode(root, a!)).toBe(b)
    expect(removeNode(root, b!)).toBeUndefined()
    root.items.push(newLeaf(leaf('c')))
    expect(wrapNode(root, root.items[0]!.uid, 'any')?.items).toHaveLength(1)
  })
  it('counts characters, not code units', () => {
    expect(spanOf('𠮷面包店', 2, 4)).toEqual([1, 3])
  })
  it('writes tiers as alternatives', () => {
    const by = { field: 'sizeClass', op: 'in' }
    const tiers = tierGroup(by, [{ codes: ['small'], value: '1000' }], { field: 'revenue', op: 'gte', unit: '万元' })
    expect(toConditions(fromConditions(toConditions({ ...tiers, kind: 'all' }).conditions)).conditions).toEqual({
      all: [
        {
          all: [
            { field: 'sizeClass', op: 'in', value: ['small'] },
            { field: 'revenue', op: 'gte', unit: '万元', value: '1000' },
          ],
        },
      ],
    })
  })
})

describe('clauses', () => {
  it('keep to the units and operators of their field', () => {
    expect(opsOf(staff).map((o) => o.op)).not.toContain('under')
    const chosen = forField({ op: 'human', quote: '不低于20人' }, staff)
    expect(chosen).toMatchObject({ field: 'employees', op: 'gte', unit: '人', quote: '不低于20人' })
    expect(withOp({ ...chosen, value: '20' }, staff, 'between').value).toEqual(['20', ''])
    expect(forField(chosen, industry)).toMatchObject({ op: 'under', value: [] })
    expect(forField(chosen, industry).unit).toBeUndefined()
  })
  it('ask of several years what is known of them', () => {
    const revenue = {
      ...staff,
      name: 'revenue',
      label: '上年营业收入',
      kind: 'money' as const,
      units: ['万元'],
      yearly: '营业收入',
      booked: true,
    }
    const head = { ...staff, yearly: '年末从业人员' }
    const clause = { field: 'revenue', op: 'gte', value: '2000', unit: '万元' }
    const asked = withYears(clause, revenue, 3)
    expect(asked).toMatchObject({ years: 3, over: 'each', value: '2000' })
    const known = new Map([revenue, head].map((f) => [f.name, f]))
    expect(clauseText(asked, known)).toBe('营业收入：近三年均 不低于 2000 万元')
    expect(clauseText({ ...asked, over: 'total', years: 2 }, known)).toBe('营业收入：近两年合计 不低于 2000 万元')
    expect(withYears(asked, revenue, 0)).toEqual(clause)
    // staff does not add up over years, and a share of two sums has no mean
    expect(oversOf(head).map((o) => o.over)).toEqual(['each', 'any', 'mean'])
    expect(withYears({ ...asked, over: 'mean', of: 'rdSpend' }, revenue, 3).over).toBe('each')
    expect(forField(asked, industry).years).toBeUndefined()
    expect(withYears(clause, staff, 3).years).toBeUndefined()
  })
  it('read as a sentence', () => {
    const known = new Map([staff, industry].map((f) => [f.name, f]))
    expect(clauseText({ field: 'employees', op: 'gte', value: 20, unit: '人' }, known)).toBe('从业人员 不低于 20 人')
    const range = { field: 'employees', op: 'between', value: [20, 300], unit: '人', ends: '[)' }
    expect(clauseText(range, known)).toBe('从业人员 20 人 至 300 人（不含）')
    expect(clauseText({ field: 'industry', op: 'under', value: ['C'] }, known)).toContain('制造业')
  })
})

describe('two people on one draft', () => {
  const base = { title: '甲', issuer: '乙', text: '丙', kinds: ['reward'] } as unknown as Content
  it('keeps what each changed, and names what both did', () => {
    const merged = merge(
      base,
      { ...base, title: '我的', text: '我的' },
      { ...base, title: '他的', issuer: '他的', kinds: [] },
    )
    expect(merged.content).toMatchObject({ title: '我的', issuer: '他的', text: '我的', kinds: [] })
    expect(merged.conflicts).toEqual(['title'])
  })
})

describe('amounts', () => {
  it('are typed in 万元 and kept in fen', () => {
    expect([fenOf('10'), fenOf('0.5'), fenOf(''), fenOf('十万'), fenOf('1.2345678')]).toEqual([
      10_000_000,
      500_000,
      0,
      undefined,
      undefined,
    ])
    expect(wanOf(12_500_000)).toBe('12.5')
  })
})
