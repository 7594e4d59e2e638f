import { api, call } from './client'
import type { components } from './schema'

export type Message = components['schemas']['MessageView']
export type Preferences = components['schemas']['MessagePreferences']

/** My messages, newest first. */
export const listMessages = (unread: boolean, cursor: string | undefined) =>
  call(api.GET('/api/messages', { params: { query: { unread, cursor, limit: 20 } } }))

/** Counted up to 100. */
export const countUnread = () => call(api.GET('/api/messages/unread')).then((answer) => answer.count)

export const readMessage = (id: number): Promise<Message> =>
  call(api.POST('/api/messages/{id}/read', { params: { path: { id } } }))

/** Up to the newest message that was seen, so that what comes meanwhile stays unread. */
export const readAllMessages = (upTo: number) => call(api.POST('/api/messages/read-all', { body: { upTo } }))

export const getPreferences = (): Promise<Preferences> => call(api.GET('/api/message-preferences'))

export const setPreference = (group: string, body: { sms: boolean; wechat: boolean }): Promise<Preferences> =>
  call(api.POST('/api/message-preferences/{group}', { params: { path: { group } }, body }))
