import type { StatusLook } from '@/components/StatusTag/types'
import { listApplications } from '@/features/application/api'
import { applicationLook, openStatuses } from '@/features/application/labels'
import { listTickets } from '@/features/ticket/api'
import { ticketLook } from '@/features/ticket/labels'

/** Something of the company that is not finished, or that waits for her. */
export interface OpenCase {
  key: string
  to: string
  title: string
  look: StatusLook
  at: string
  /** What she may do about it now. */
  next?: string
}

const ended = new Set(['closed', 'declined', 'voided'])

async function openTickets(): Promise<OpenCase[]> {
  const page = await listTickets(undefined)
  return (page.items ?? []).flatMap((t) => {
    const unrated = t.status === 'closed' && t.rating === 0
    if (ended.has(t.status) && !unrated) return []
    return [
      {
        key: `ticket-${t.id}`,
        to: `/tickets/${t.id}`,
        title: t.title,
        look: ticketLook(t.status),
        at: t.createdAt,
        next: unrated ? '请为这次办理评价' : undefined,
      },
    ]
  })
}

async function openApplications(): Promise<OpenCase[]> {
  const page = await listApplications(openStatuses, undefined)
  return (page.items ?? []).map((a) => ({
    key: `application-${a.id}`,
    to: `/applications/${a.id}`,
    title: a.productName,
    look: applicationLook(a.status),
    at: a.submittedAt,
    next: a.status === 'supplement' ? '请补充材料' : undefined,
  }))
}

/** What is open, what waits for her first, then the newest. It fails only when nothing could be asked. */
export async function openCases(): Promise<OpenCase[]> {
  const asked = await Promise.allSettled([openTickets(), openApplications()])
  const failed = asked.find((a) => a.status === 'rejected')
  const found = asked.flatMap((a) => (a.status === 'fulfilled' ? a.value : []))
  if (failed && found.length === 0) throw failed.reason
  return found.sort((a, b) => Number(!!b.next) - Number(!!a.next) || b.at.localeCompare(a.at))
}
