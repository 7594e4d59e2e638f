import { api, data, idempotent, type Schemas } from '@/api/client'

export type TicketItem = Schemas['TicketItem']
export type TicketStatus = TicketItem['status']
export type Urgency = TicketItem['urgency']
export type Source = TicketItem['source']
export type Ticket = Schemas['TicketView']
export type TicketAction = Ticket['actions'][number]
export type TicketStep = Schemas['TicketStep']
export type TicketFile = Schemas['TicketFileView']
export type TicketType = Schemas['TicketType']
export type TicketUnit = Schemas['TicketUnitInfo']
/** What a call-back found. */
export type Outcome = Schemas['TicketOutcome']
export type NewTicket = Omit<Schemas['OpenInputBody'], 'source'>

export interface TicketQuery {
  q?: string
  status?: string[]
  urgency?: string
  waiting?: boolean
  cursor?: string
  limit?: number
}

/** The tickets the person may see, newest first. */
export const listTickets = ({ q, status, urgency, waiting, cursor, limit }: TicketQuery, signal?: AbortSignal) =>
  data(
    api.GET('/api/tickets', {
      params: {
        query: {
          q: q || undefined,
          // one value with commas, as the server reads lists
          status: status?.length ? [status.join(',')] : undefined,
          urgency: urgency || undefined,
          waiting: waiting || undefined,
          cursor,
          limit,
        },
      },
      signal,
    }),
  )

export const getTicket = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/tickets/{id}', { params: { path: { id: Number(id) } }, signal }))

export const listTicketTypes = () => data(api.GET('/api/ticket-types')).then((page) => page.items)

export const listTicketUnits = () => data(api.GET('/api/ticket-units')).then((page) => page.items)

/** Writes a request down for a caller. */
export const openTicket = (body: NewTicket, key: string) =>
  data(api.POST('/api/tickets', { body: { ...body, source: 'agent' }, ...idempotent(key) }))

type Fields<B extends keyof Schemas> = Omit<Schemas[B], 'version'>

/** What each action sends beside the version. */
export interface ActionBody {
  answer: Fields<'AnswerInputBody'>
  decline: Fields<'ReasonInputBody'>
  dispatch: Fields<'DispatchInputBody'>
  sign: Fields<'SignInputBody'>
  reply: Fields<'AnswerInputBody'>
  callback: Fields<'CallBackInputBody'>
  close: Fields<'CloseInputBody'>
  reopen: Fields<'ReasonInputBody'>
  void: Fields<'ReasonInputBody'>
}

/** Takes one step with a ticket as it was last seen. */
export const act = <A extends keyof ActionBody>(ticket: Ticket, action: A, body: ActionBody[A], key: string) =>
  data(
    // The bodies differ by action; ActionBody has matched the two already.
    api.POST(`/api/tickets/{id}/${action}` as '/api/tickets/{id}/answer', {
      params: { path: { id: ticket.id } },
      body: { version: ticket.version, ...body } as unknown as Schemas['AnswerInputBody'],
      ...idempotent(key),
    }),
  )
