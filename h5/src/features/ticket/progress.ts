import type { TimelineItem } from '@/components/Timeline/types'
import { dateTime } from '@/format'

import type { Ticket, TicketFile } from './api'

/** The course of a ticket, newest first, in words for the requester. */
export function progressOf(ticket: Ticket): TimelineItem[] {
  return [...ticket.timeline].reverse().map((step) => ({
    key: step.seq,
    time: dateTime(step.at),
    title: step.label,
    by: step.actor,
    note: step.text,
  }))
}

/** The files that came with a step; without one, those that came with none. */
export function filesOf(ticket: Ticket, seq?: string | number): TicketFile[] {
  if (seq === undefined) {
    const told = new Set(ticket.timeline.flatMap((step) => step.fileIds ?? []))
    return ticket.files.filter((file) => !told.has(file.id))
  }
  const ids = ticket.timeline.find((step) => step.seq === seq)?.fileIds ?? []
  return ticket.files.filter((file) => ids.includes(file.id))
}
