import { api, data, idempotent, type Schemas } from './client'

export type Message = Schemas['MessageView']
export type Letter = Schemas['MessageLetterView']
export type LetterTemplate = Schemas['MessageLetterTemplate']
export type Channel = 'sms' | 'wechat'
export type LetterState = 'queued' | 'sending' | 'sent' | 'refused' | 'unknown'

/** My messages, newest first. */
export const listMessages = (
  query: { unread: boolean; cursor: string | undefined; limit: number },
  signal: AbortSignal,
) => data(api.GET('/api/messages', { params: { query }, signal }))

/** Counted up to 100. */
export const countUnread = () => data(api.GET('/api/messages/unread')).then((answer) => answer.count)

/** Marks a message as read and returns it. */
export const readMessage = (id: number, signal?: AbortSignal) =>
  data(api.POST('/api/messages/{id}/read', { params: { path: { id } }, signal }))

/** Up to the newest message that was seen, so that what comes meanwhile stays unread. */
export const readAllMessages = (upTo: number) => data(api.POST('/api/messages/read-all', { body: { upTo } }))

/** What went out by a channel, newest first. */
export const listLetters = (
  query: {
    channel: Channel
    state: string | undefined
    template: string | undefined
    phone: string | undefined
    cursor: string | undefined
    limit: number
  },
  signal: AbortSignal,
) => data(api.GET('/api/message-letters', { params: { query }, signal }))

export const getLetter = (channel: Channel, id: number, signal: AbortSignal) =>
  data(api.GET('/api/message-letters/{channel}/{id}', { params: { path: { channel, id } }, signal }))

/** The templates that leave the house, for the filter. */
export const listTemplates = () => data(api.GET('/api/message-templates')).then((page) => page.items)

/** Has a letter of unknown outcome sent again. */
export const releaseLetter = (letter: Letter, reason: string, key: string) =>
  data(
    api.POST('/api/message-letters/{channel}/{id}/release', {
      params: { path: { channel: letter.channel as Channel, id: letter.id } },
      body: { version: letter.version, reason },
      ...idempotent(key),
    }),
  )
