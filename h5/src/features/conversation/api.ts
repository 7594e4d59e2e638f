import { api, call, idempotent } from '@/api/client'
import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type Thread = Schemas['ConversationView']
export type Note = Schemas['ConversationNoteView']

const at = (id: number) => ({ path: { object: 'application', id } })

/** What was said about an application; with a cursor, what was said before. */
export const getThread = (id: number, cursor?: string) =>
  call(api.GET('/api/conversations/{object}/{id}', { params: { ...at(id), query: { cursor } } }))

export const sendNote = (
  id: number,
  body: { words: string; fileIds: number[]; meant: boolean },
  key: string,
) => call(api.POST('/api/conversations/{object}/{id}', { params: at(id), body, headers: idempotent(key) }))

export const markRead = (id: number, upTo: number) =>
  call(api.POST('/api/conversations/{object}/{id}/read', { params: at(id), body: { upTo } }))

export const withdrawNote = (note: Note) =>
  call(api.POST('/api/conversation-notes/{id}/withdraw', { params: { path: { id: note.id } } }))

/** How many notes wait to be read, by application. */
export const listUnread = () =>
  call(api.GET('/api/conversations')).then(
    (page) => new Map(page.items.map((one) => [one.objectId, one.unread])),
  )
