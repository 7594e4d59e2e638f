import { api, data, idempotent, type Schemas } from '@/api/client'

export type TicketItem = Schemas['TicketItem']
export type TicketStatus = TicketItem['status']
export type Flag = NonNullable<TicketItem['flags']>[number]
export type Hop = Schemas['TicketHopView']
export type TicketRequest = Schemas['TicketRequestView']
export type Near = Schemas['TicketNear']
export type ReasonCode = Schemas['TicketCode']
export type Urgency = TicketItem['urgency']
export type Source = TicketItem['source']
export type Ticket = Schemas['TicketView']
export type TicketAction = Ticket['actions'][number]
export type TicketStep = Schemas['TicketStep']
export type TicketFile = Schemas['TicketFileView']
export type TicketType = Schemas['TicketType']
export type TicketUnit = Schemas['TicketUnitInfo']
export type TicketArea = Schemas['TicketArea']
export type FormField = Schemas['OwnField']
export type Caller = Schemas['TicketCaller']
export type Alike = Schemas['TicketAlike']
export type DeclineReason = Schemas['TicketDeclineReason']
/** What a call-back found. */
export type Outcome = Schemas['TicketOutcome']
export type NewTicket = Omit<Schemas['OpenInputBody'], 'source'>

export interface TicketQuery {
  q?: string
  status?: string[]
  urgency?: string
  flag?: string
  alert?: string
  waiting?: boolean
  type?: string[]
  area?: string[]
  unit?: string
  holder?: string
  source?: string
  tag?: string
  from?: string
  to?: string
  dueFrom?: string
  dueTo?: string
  phone?: string
  code?: string
  company?: string
  queue?: string
  sort?: string
  cursor?: string
  limit?: number
}

/** The tickets the person may see, newest first. */
export const listTickets = (
  {
    q,
    status,
    urgency,
    alert,
    flag,
    waiting,
    type,
    area,
    unit,
    holder,
    company,
    queue,
    sort,
    cursor,
    limit,
    ...rest
  }: TicketQuery,
  signal?: AbortSignal,
) =>
  data(
    api.GET('/api/tickets', {
      params: {
        query: {
          q: q || undefined,
          // one value with commas, as the server reads lists
          status: status?.length ? [status.join(',')] : undefined,
          urgency: urgency || undefined,
          flag: flag || undefined,
          alert: (alert || undefined) as 'overdue' | undefined,
          waiting: waiting || undefined,
          type: type?.length ? [type.join(',')] : undefined,
          area: area?.length ? [area.join(',')] : undefined,
          unit: Number(unit) || undefined,
          holder: Number(holder) || undefined,
          company: Number(company) || undefined,
          queue: (queue || undefined) as 'free' | undefined,
          sort: (sort || undefined) as 'due' | undefined,
          source: (rest.source || undefined) as Source | undefined,
          tag: rest.tag || undefined,
          from: rest.from || undefined,
          to: rest.to || undefined,
          dueFrom: rest.dueFrom || undefined,
          dueTo: rest.dueTo || undefined,
          phone: rest.phone || undefined,
          code: rest.code || undefined,
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

/** The streets and towns a ticket may lie in. */
export const listTicketAreas = () => data(api.GET('/api/ticket-areas')).then((page) => page.items)

/** The reasons that a return, an extension and an appeal may give. */
export const listReasonCodes = () => data(api.GET('/api/ticket-reasons')).then((page) => page.items)

/** Writes a request down for a caller. */
export const openTicket = (body: NewTicket, key: string) =>
  data(api.POST('/api/tickets', { body: { ...body, source: 'agent' }, ...idempotent(key) }))

/** Who calls, with the tickets asked for before. Numbers go in the body: addresses are logged. */
export const lookUpCaller = (body: Schemas['CallerInputBody'], signal?: AbortSignal) =>
  data(api.POST('/api/ticket-callers', { body, signal }))

/** Tickets that may be about the same as what is typed. */
export const similarTickets = (body: Schemas['SimilarInputBody'], signal?: AbortSignal) =>
  data(api.POST('/api/ticket-similar', { body, signal })).then((page) => page.items)

export const listDeclineReasons = () => data(api.GET('/api/ticket-decline-reasons')).then((page) => page.items)

type Fields<B extends keyof Schemas> = Omit<Schemas[B], 'version'>

/** What each action sends beside the version. */
export interface ActionBody {
  classify: Fields<'ClassifyInputBody'>
  answer: Fields<'AnswerInputBody'>
  decline: Fields<'DeclineInputBody'>
  dispatch: Fields<'DispatchInputBody'>
  sign: Fields<'SignInputBody'>
  reply: Fields<'ReplyInputBody'>
  callback: Fields<'CallBackInputBody'>
  close: Fields<'CloseInputBody'>
  reopen: Fields<'ReopenInputBody'>
  void: Fields<'ReasonInputBody'>
  review: Fields<'ReviewInputBody'>
  sendback: Fields<'ReviewInputBody'>
  archive: Fields<'SignInputBody'>
  suspend: Fields<'ReasonInputBody'>
  resume: Fields<'ReasonInputBody'>
  forward: Fields<'ForwardInputBody'>
  split: Fields<'SplitInputBody'>
  'hop-sign': Fields<'HopInputBody'>
  'hop-reply': Fields<'HopReplyInputBody'>
  accept: Fields<'HopInputBody'>
  rework: Fields<'HopInputBody'>
  recall: Fields<'HopInputBody'>
  return: Fields<'AskInputBody'>
  extend: Fields<'AskInputBody'>
  appeal: Fields<'AskInputBody'>
  endorse: Fields<'DecideInputBody'>
  decide: Fields<'DecideInputBody'>
  withdraw: Fields<'WithdrawInputBody'>
  merge: Fields<'MergeInputBody'>
  unmerge: Fields<'ReasonInputBody'>
  link: Fields<'LinkInputBody'>
  unlink: Fields<'LinkInputBody'>
  undo: Fields<'ReasonInputBody'>
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
