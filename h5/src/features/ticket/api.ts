import { api, call, idempotent } from '@/api/client'
import type { Page } from '@/composables/usePagedList'

export type TicketStatus =
  | 'received'
  | 'answered'
  | 'declined'
  | 'dispatched'
  | 'signed'
  | 'replied'
  | 'callback'
  | 'closed'
  | 'voided'

export interface TicketItem {
  id: number
  number: string
  version: number
  type: string
  typeName: string
  title: string
  urgency: 'normal' | 'urgent' | 'critical'
  status: TicketStatus
  source: 'h5' | 'portal' | 'agent'
  requesterName: string
  enterpriseName: string
  unitName: string
  createdAt: string
  dueAt: string
  closedAt?: string
  /** 0 when not rated. */
  rating: number
}

export interface TicketStep {
  seq: number
  kind: string
  label: string
  at: string
  actor?: string
  text?: string
  fileIds?: number[]
}

export interface TicketFile {
  id: number
  name: string
  size: number
  mime: string
  url: string
}

export interface Ticket extends TicketItem {
  body: string
  phone: string
  reply: string
  opinion: string
  queryCode?: string
  /** Oldest first. */
  timeline: TicketStep[]
  files: TicketFile[]
  actions: string[]
}

export interface TicketType {
  code: string
  name: string
  category: string
  urgency: string
  hours: number
  sort: number
}

export interface NewTicket {
  type: string
  title: string
  body: string
  contactName?: string
  /** Empty takes the phone of the account. */
  phone?: string
  fileIds?: number[]
}

interface Init {
  params?: { path?: Record<string, number>; query?: Record<string, string | number | undefined> }
  body?: unknown
  headers?: Record<string, string>
}
type Send = (path: string, init?: Init) => Promise<{ data?: unknown }>

// The interface document does not name these operations yet, so their types are the ones above.
const server = api as unknown as { GET: Send; POST: Send }
const get = <T>(path: string, init?: Init) =>
  call(server.GET(path, init) as Promise<{ data?: T }>) as Promise<T>
const post = <T>(path: string, init?: Init) =>
  call(server.POST(path, init) as Promise<{ data?: T }>) as Promise<T>

/** My tickets and those of my company, newest first. */
export const listTickets = (cursor: string | undefined) =>
  get<Page<TicketItem>>('/api/tickets', { params: { query: { cursor, limit: 20 } } })

export const getTicket = (id: number) => get<Ticket>('/api/tickets/{id}', { params: { path: { id } } })

export const listTicketTypes = () =>
  get<{ items: TicketType[] }>('/api/ticket-types').then((page) => page.items)

export const openTicket = (body: NewTicket, key: string) =>
  post<Ticket>('/api/tickets', { body: { ...body, source: 'h5' }, headers: idempotent(key) })

export const rateTicket = (
  id: number,
  body: { version: number; rating: number; opinion?: string },
  key: string,
) => post<Ticket>('/api/tickets/{id}/rate', { params: { path: { id } }, body, headers: idempotent(key) })
