import { api, data, idempotent, type Schemas } from '@/api/client'

export type Message = Schemas['IntakeItem']
export type MessageState = Message['state']
export type MessageChannel = Message['channel']
export type OpenMessage = Schemas['IntakeMessageView']
export type Key = Schemas['IntakeKeyView']
export type Service = Schemas['IntakeServiceView']
export type NewKey = Omit<Schemas['IntakeIssueInputBody'], '$schema'>
export type NewTicket = Omit<Schemas['IntakeMakeInputBody'], '$schema' | 'version'>

const at = (id: number | string) => ({ path: { id: Number(id) } })

export interface InboxQuery {
  state: string
  cursor?: string
  limit?: number
}

export const listInbox = ({ state, cursor, limit }: InboxQuery, signal?: AbortSignal) =>
  data(
    api.GET('/api/inbox', {
      params: { query: { state: (state || 'pending') as MessageState, cursor, limit } },
      signal,
    }),
  )

export const getMessage = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/inbox/{id}', { params: at(id), signal }))

export const makeTicket = (m: OpenMessage, values: NewTicket) =>
  data(api.POST('/api/inbox/{id}/ticket', { params: at(m.id), body: { ...values, version: m.version } }))

export const judge = (m: OpenMessage, state: 'declined' | 'spam', reason = '') =>
  data(api.POST('/api/inbox/{id}/judge', { params: at(m.id), body: { version: m.version, state, reason } }))

/** Puts a mail onto the timeline of the ticket it is about. */
export const joinMessage = (m: OpenMessage, number: string) =>
  data(api.POST('/api/inbox/{id}/join', { params: at(m.id), body: { version: m.version, number } }))

/** What the public reads of a request that a partner made. */
export type PublicWords = Schemas['IntakePublicWords']
export const getWords = (number: string, signal?: AbortSignal) =>
  data(api.GET('/api/open311/requests/{number}', { params: { path: { number } }, signal }))
export const publishWords = (number: string, text: string, seen: string, key: string) =>
  data(
    api.POST('/api/open311/requests/{number}/publish', {
      params: { path: { number } },
      body: { text, seen },
      ...idempotent(key),
    }),
  )

export const listKeys = (_?: string, signal?: AbortSignal) => data(api.GET('/api/open311/keys', { signal }))

export const issueKey = (body: NewKey, key: string) => data(api.POST('/api/open311/keys', { body, ...idempotent(key) }))

export const revokeKey = (id: number) => data(api.POST('/api/open311/keys/{id}/revoke', { params: at(id) }))

export const listServices = (_?: string, signal?: AbortSignal) => data(api.GET('/api/open311/services', { signal }))

export const setService = ({ code, offered, published, keywords }: Service) =>
  data(
    api.POST('/api/open311/services/{code}', {
      params: { path: { code } },
      body: { offered, published: offered && published, keywords },
    }),
  )
