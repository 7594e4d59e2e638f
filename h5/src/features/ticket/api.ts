import { api, call, idempotent } from '@/api/client'
import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type TicketItem = Schemas['TicketItem']
export type TicketStatus = TicketItem['status']
export type TicketStep = Schemas['TicketStep']
export type TicketFile = Schemas['TicketFileView']
export type Ticket = Schemas['TicketView']
export type TicketType = Schemas['TicketType']
export type FormField = Schemas['OwnField']
export type Alike = Schemas['TicketAlike']
export type Hint = Schemas['TicketHint']
export type PublicTicket = Schemas['TicketPublicView']
export type NewTicket = Omit<Schemas['OpenInputBody'], 'source'>

/** My tickets and those of my company, newest first; q narrows them to words, a number or a phone's last four digits. */
export const listTickets = (cursor: string | undefined, q = '') =>
  call(api.GET('/api/tickets', { params: { query: { q: q || undefined, cursor, limit: 20 } } }))

export const getTicket = (id: number) => call(api.GET('/api/tickets/{id}', { params: { path: { id } } }))

export const listTicketTypes = () => call(api.GET('/api/ticket-types')).then((page) => page.items)

export const listTicketAreas = () => call(api.GET('/api/ticket-areas')).then((page) => page.items ?? [])

export const openTicket = (body: NewTicket, key: string) =>
  call(api.POST('/api/tickets', { body: { ...body, source: 'h5' }, headers: idempotent(key) }))

/** What the requester of a ticket is asked about its reply. */
export const getJudgeForm = () => call(api.GET('/api/ticket-judge-form'))

export const rateTicket = (id: number, body: Schemas['RateInputBody'], key: string) =>
  call(api.POST('/api/tickets/{id}/rate', { params: { path: { id } }, body, headers: idempotent(key) }))

/** What a suspended ticket waits for. */
export const supplementTicket = (id: number, body: Schemas['AnswerInputBody'], key: string) =>
  call(api.POST('/api/tickets/{id}/supplement', { params: { path: { id } }, body, headers: idempotent(key) }))

/** My own open requests that are alike. */
export const similarTickets = (body: Schemas['SimilarInputBody']) =>
  call(api.POST('/api/ticket-similar', { body })).then((page) => page.items)

/** How a request stands, without an account. */
export const queryTicket = (body: Schemas['ByNumberInputBody']) =>
  call(api.POST('/api/ticket-queries', { body }))

/** What requesters read at each step; no account is needed. */
export const listHints = () => call(api.GET('/api/public/ticket-hints')).then((page) => page.items)
