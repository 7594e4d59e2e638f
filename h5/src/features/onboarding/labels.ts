import type { StatusLook } from '@/components/StatusTag/types'
import type { TimelineItem } from '@/components/Timeline/types'
import { dateTime, day } from '@/format'

import type { Application, Document, Typed } from './api'

const looks: Record<Application['state'], Omit<StatusLook, 'word'>> = {
  draft: { tone: 'neutral', icon: 'edit' },
  waiting: { tone: 'info', icon: 'clock-o' },
  checked: { tone: 'info', icon: 'clock-o' },
  returned: { tone: 'warning', icon: 'revoke' },
  approved: { tone: 'success', icon: 'passed' },
  refused: { tone: 'danger', icon: 'close' },
}

export const stateLook = (a: Application): StatusLook => ({ word: a.label, ...looks[a.state] })

/** Whether the applicant may change it. */
export const isOpen = (a?: Application): boolean => a?.state === 'draft' || a?.state === 'returned'

/** Why the last round was sent back. */
export const returnedFor = (a?: Application): string =>
  a?.state === 'returned' ? (a.rounds[0]?.reason ?? '') : ''

/** How long a paper holds; nothing to say for one that holds on. */
export function paperLook(paper: Document): StatusLook | null {
  if (!paper.to) return null
  if (paper.days < 0) return { word: '已过期', tone: 'danger' }
  return paper.days <= 30 ? { word: '即将到期', tone: 'warning' } : null
}
export const validity = (paper: Document): string => (paper.to ? `有效期至 ${day(paper.to)}` : '长期有效')

const mask = (phone: string): string => phone.replace(/^(\d{3})\d{4}(\d{4})$/, '$1****$2')

export const factsOf = (a: Application): { label: string; value: string }[] =>
  [
    { label: '申请编号', value: a.number },
    { label: '机构类型', value: a.kindName },
    { label: '统一社会信用代码', value: a.creditCode },
    { label: '法定代表人', value: a.legalPerson },
    { label: '咨询电话', value: a.phone },
    { label: '地址', value: a.address },
    { label: '机构简介', value: a.summary },
    { label: '服务内容', value: a.offers },
    { label: '联系人', value: a.contactName },
    { label: '联系手机', value: mask(a.contactPhone) },
    { label: '管理员账号', value: a.account },
  ].filter((fact) => fact.value !== '')

/** Newest first; a review that it waits for stands on top. */
export function courseOf(a: Application): TimelineItem[] {
  const done = a.timeline.map((step) => ({
    key: step.seq,
    time: dateTime(step.at),
    title: step.label,
    by: step.actor,
    note: step.text || undefined,
  }))
  const waits = { waiting: '等待平台初审', checked: '等待政府终审' }[a.state as string]
  const due = a.dueAt ? `${dateTime(a.dueAt)} 前完成` : ''
  return [...(waits ? [{ key: 'now', time: due, title: waits }] : []), ...done.reverse()]
}

/** The form as it begins: what is kept of an open application, or nothing. */
export const formOf = (a?: Application): Typed => ({
  name: a?.name ?? '',
  kind: a?.kind ?? '',
  creditCode: a?.creditCode ?? '',
  legalPerson: a?.legalPerson ?? '',
  phone: a?.phone ?? '',
  address: a?.address ?? '',
  summary: a?.summary ?? '',
  offers: a?.offers ?? '',
  contactName: a?.contactName ?? '',
  contactPhone: a?.contactPhone ?? '',
  account: a?.account ?? '',
})
