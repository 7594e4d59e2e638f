import type { StatusLook } from '@/components/StatusTag/types'
import type { TimelineItem } from '@/components/Timeline/types'
import { dateTime, day, money } from '@/format'

import type { Demand, DemandQuote, DemandState, HallItem, HallView, Typed } from './api'

/** As in the back office. */
export const demandLooks: Record<DemandState, StatusLook> = {
  draft: { word: '草稿', tone: 'neutral', icon: 'edit' },
  review: { word: '待审核', tone: 'warning', icon: 'bell' },
  returned: { word: '退回修改', tone: 'danger', icon: 'revoke' },
  open: { word: '征集报价', tone: 'info', icon: 'guide-o' },
  picked: { word: '已选定', tone: 'success', icon: 'passed' },
  closed: { word: '已关闭', tone: 'neutral', icon: 'close' },
  expired: { word: '已过期', tone: 'neutral', icon: 'underway-o' },
}
export const quoteLooks: Record<DemandQuote['state'], StatusLook> = {
  live: { word: '已报价', tone: 'info', icon: 'clock-o' },
  withdrawn: { word: '已撤回', tone: 'neutral', icon: 'revoke' },
  picked: { word: '被选定', tone: 'success', icon: 'passed' },
  passed: { word: '未选定', tone: 'neutral', icon: 'minus' },
  ended: { word: '需求已结束', tone: 'neutral', icon: 'underway-o' },
}

/** The tabs of the company's list. */
export const groups: { name: string; text: string; states: DemandState[] }[] = [
  { name: 'all', text: '全部', states: [] },
  { name: 'todo', text: '待完善', states: ['draft', 'returned'] },
  { name: 'review', text: '审核中', states: ['review'] },
  { name: 'open', text: '征集报价', states: ['open'] },
  { name: 'ended', text: '已结束', states: ['picked', 'closed', 'expired'] },
]

/** What is asked for, in few words. */
export const wish = (v: HallItem): string =>
  v.lends ? `需要 ${v.budget}，${v.term} 个月` : `预算 ${v.budget}`

export interface Fact {
  label: string
  value: string
}

const filled = (facts: Fact[]): Fact[] => facts.filter((fact) => fact.value.trim() !== '')

export const hallFacts = (v: HallView): Fact[] =>
  filled([
    { label: '需求编号', value: v.number },
    { label: '类别', value: v.kindName },
    { label: '企业', value: v.company },
    { label: v.lends ? '需要金额' : '预算', value: v.budget },
    { label: '使用期限', value: v.lends ? `${v.term} 个月` : '' },
    { label: '报价截止', value: day(v.until) },
    { label: '希望完成', value: v.wantedBy && day(v.wantedBy) },
    { label: '服务地点', value: v.place },
  ])

export const demandFacts = (v: Demand): Fact[] =>
  filled([
    { label: '需求编号', value: v.number },
    { label: '类别', value: v.kindName },
    { label: v.lends ? '需要金额' : '预算', value: v.budget },
    { label: '使用期限', value: v.lends ? `${v.term} 个月` : '' },
    { label: '报价截止', value: day(v.until) },
    { label: '希望完成', value: v.wantedBy && day(v.wantedBy) },
    { label: '服务地点', value: v.place },
    { label: '联系人', value: `${v.contactName} ${v.phone}` },
    { label: '联系说明', value: v.contactNote },
    { label: '大厅显示', value: v.named ? '公开企业名称' : '不公开企业名称' },
  ])

export function quoteFacts(v: Demand, q: DemandQuote): Fact[] {
  const offered: Fact[] = v.lends
    ? [
        { label: '可提供金额', value: money(q.amount) },
        { label: '利率或费率', value: `${(q.rate / 100).toFixed(2)}%` },
        { label: '期限', value: `${q.term} 个月` },
      ]
    : [
        { label: '报价', value: q.price > 0 ? money(q.price) : '免费' },
        { label: '完成时间', value: `${q.days} 个工作日` },
      ]
  return filled([
    { label: '产品', value: q.productName },
    ...offered,
    {
      label: '企业评价',
      value: q.ratingCount ? `${(q.rating / 100).toFixed(1)} 分（${q.ratingCount} 次评价）` : '还没有评价',
    },
    { label: '说明', value: q.text },
    {
      label: '有效期至',
      value: day(q.validUntil) + (q.valid || q.state !== 'live' ? '' : '（已过期，请联系机构更新）'),
    },
    { label: '更新时间', value: dateTime(q.changedAt) },
  ])
}

/** The orders in which quotes are compared. */
export const quoteOrders = (v: Demand): { value: Demand['order']; text: string }[] => [
  { value: 'time', text: '最早报价' },
  { value: 'price', text: v.lends ? '利率最低' : '价格最低' },
  v.lends ? { value: 'amount', text: '金额最高' } : { value: 'days', text: '完成最快' },
  { value: 'rating', text: '评价最好' },
]

export const courseOf = (v: Demand): TimelineItem[] =>
  (v.course ?? []).map((step, i) => ({
    key: i,
    time: dateTime(step.at),
    title: step.label,
    by: step.by,
    note: step.text || undefined,
  }))

export const emptyForm = (kind = ''): Typed => ({
  kind,
  title: '',
  description: '',
  budgetMin: '',
  budgetMax: '',
  term: '',
  until: '',
  wantedBy: '',
  place: '',
  named: false,
  contactName: '',
  phone: '',
  contactNote: '',
  fileIds: [],
})
