import { api, data, idempotent, type Page } from '@/api/client'

export type TicketStatus =
  'received' | 'answered' | 'declined' | 'dispatched' | 'signed' | 'replied' | 'callback' | 'closed' | 'voided'
export type Urgency = 'normal' | 'urgent' | 'critical'
export type Source = 'h5' | 'portal' | 'agent'
export type TicketAction =
  'answer' | 'decline' | 'dispatch' | 'sign' | 'reply' | 'callback' | 'close' | 'reopen' | 'void' | 'rate'

export interface TicketItem {
  id: number
  number: string
  version: number
  type: string
  typeName: string
  title: string
  urgency: Urgency
  status: TicketStatus
  source: Source
  requesterName: string
  enterpriseName: string
  unitName: string
  createdAt: string
  dueAt: string
  closedAt?: string
  /** 0 when not rated. */
  rating: number
}

/** What a call-back found. */
export interface Outcome {
  contacted: boolean
  solved: boolean
  satisfied: boolean
}

export interface TicketStep {
  seq: number
  kind: string
  label: string
  at: string
  actor?: string
  text?: string
  outcome?: Outcome
  fileIds?: number[]
}

export interface TicketHop {
  id: number
  fromName: string
  unitId: number
  unitName: string
  lead: boolean
  state: 'dispatched' | 'signed' | 'replied' | 'ended'
  sentAt: string
  signedAt?: string
  repliedAt?: string
  dueAt: string
  note: string
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
  /** In clear for the desk, masked for everybody else. */
  phone: string
  reply: string
  opinion: string
  /** Only in the answer to opening. */
  queryCode?: string
  /** Oldest first. */
  timeline: TicketStep[]
  hops: TicketHop[]
  files: TicketFile[]
  actions: TicketAction[]
}

export interface TicketType {
  code: string
  name: string
  category: string
  urgency: Urgency
  hours: number
  sort: number
}

export interface TicketUnit {
  id: number
  name: string
  /** The ids from level 1 down to the unit itself, 0 below it. */
  levels: number[]
}

export interface TicketQuery {
  status?: string[]
  urgency?: string
  waiting?: boolean
  cursor?: string
  limit?: number
}

export interface NewTicket {
  type: string
  title: string
  body: string
  contactName: string
  phone: string
  urgency?: Urgency
  enterpriseName?: string
}

interface Init {
  params?: {
    path?: Record<string, number | string>
    query?: Record<string, string | number | boolean | undefined>
  }
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
}
type Send = (path: string, init?: Init) => Promise<{ data?: unknown }>

// The interface document does not name these operations yet, so their types are the ones above.
const server = api as unknown as { GET: Send; POST: Send }
const get = <T>(path: string, init?: Init) => data(server.GET(path, init) as Promise<{ data?: T }>)
const post = <T>(path: string, init?: Init) => data(server.POST(path, init) as Promise<{ data?: T }>)

/** The tickets the person may see, newest first. */
export const listTickets = ({ status, urgency, waiting, cursor, limit }: TicketQuery, signal?: AbortSignal) =>
  get<Page<TicketItem>>('/api/tickets', {
    params: {
      query: {
        status: status?.length ? status.join(',') : undefined,
        urgency: urgency || undefined,
        waiting: waiting || undefined,
        cursor,
        limit,
      },
    },
    signal,
  })

export const getTicket = (id: string, signal?: AbortSignal) =>
  get<Ticket>('/api/tickets/{id}', { params: { path: { id } }, signal })

export const listTicketTypes = () => get<{ items: TicketType[] }>('/api/ticket-types').then((page) => page.items)

export const listTicketUnits = () => get<{ items: TicketUnit[] }>('/api/ticket-units').then((page) => page.items)

/** Writes a request down for a caller. */
export const openTicket = (body: NewTicket, key: string) =>
  post<Ticket>('/api/tickets', { body: { ...body, source: 'agent' }, ...idempotent(key) })

/** What each action sends beside the version. */
export interface ActionBody {
  answer: { text: string; fileIds: number[] }
  decline: { reason: string }
  dispatch: { unitId: number; note: string }
  sign: object
  reply: { text: string; fileIds: number[] }
  callback: { outcome: Outcome; note: string }
  close: { outcome?: Outcome; note: string }
  reopen: { reason: string }
  void: { reason: string }
}

/** Takes one step with a ticket as it was last seen. */
export const act = <A extends keyof ActionBody>(ticket: Ticket, action: A, body: ActionBody[A], key: string) =>
  post<Ticket>(`/api/tickets/{id}/${action}`, {
    params: { path: { id: ticket.id } },
    body: { version: ticket.version, ...body },
    ...idempotent(key),
  })
