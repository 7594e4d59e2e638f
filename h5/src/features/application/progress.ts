import type { TimelineItem } from '@/components/Timeline/types'
import { dateTime, money } from '@/format'

import type { Application, ApplicationFile } from './api'

/** The course of an application, newest first. */
export function progressOf(application: Application): TimelineItem[] {
  return [...(application.timeline ?? [])].reverse().map((step) => ({
    key: step.seq,
    time: dateTime(step.at),
    title: step.label,
    by: step.actor,
    note: step.text,
  }))
}

/** The files that came with a step; without one, those that came with the application itself. */
export function filesOf(application: Application, seq?: string | number): ApplicationFile[] {
  const steps = application.timeline ?? []
  const files = application.files ?? []
  if (seq === undefined) {
    const told = new Set(steps.flatMap((step) => step.fileIds ?? []))
    return [...files.filter((file) => !told.has(file.id)), ...(application.paperFiles ?? [])]
  }
  const ids = steps.find((step) => step.seq === seq)?.fileIds ?? []
  return files.filter((file) => ids.includes(file.id))
}

export interface Fact {
  label: string
  value: string
}

/** What was applied for. */
export function factsOf(a: Application): Fact[] {
  const facts = [
    { label: '服务机构', value: a.institutionName },
    { label: '提交时间', value: dateTime(a.submittedAt) },
  ]
  if (a.due && !a.due.held) {
    facts.push({ label: a.due.label, value: `${dateTime(a.due.at)} 前（${a.due.budget}）` })
  }
  if (a.lends) {
    facts.push({ label: '申请金额', value: money(a.amount) }, { label: '申请期限', value: `${a.term} 个月` })
    facts.push({ label: '资金用途', value: a.purpose })
    if (a.collateral) facts.push({ label: '担保或抵押', value: a.collateral })
  } else {
    facts.push({ label: '需求说明', value: a.purpose })
  }
  for (const x of a.extra) facts.push({ label: x.label, value: x.text })
  return [...facts, { label: '联系人', value: `${a.contactName} ${a.phone}` }]
}

/** What was granted; empty while nothing is. */
export function resultOf(a: Application): Fact[] {
  if (!a.approvedAmount) return []
  const facts = [{ label: '审批金额', value: money(a.approvedAmount) }]
  if (a.approvedRate) facts.push({ label: '年利率', value: `${(a.approvedRate / 100).toFixed(2)}%` })
  facts.push({ label: '期限', value: `${a.approvedTerm} 个月` })
  for (const p of a.payments ?? []) {
    facts.push({ label: `第 ${p.no} 笔放款`, value: `${money(p.amount)}，${p.paidOn}` })
  }
  if (a.disbursedAt) {
    facts.push({ label: '已放款', value: `${money(a.disbursedAmount)}，${dateTime(a.disbursedAt)}` })
  }
  return facts
}
