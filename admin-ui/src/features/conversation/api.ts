import { api, data, idempotent, type Schemas } from '@/api/client'

export type Thread = Schemas['ConversationView']
export type Note = Schemas['ConversationNoteView']
export type Rule = Schemas['ConversationRuleView']

const at = (id: number) => ({ path: { object: 'application', id } })

export const getThread = (id: string, cursor: string | undefined, signal?: AbortSignal) =>
  data(api.GET('/api/conversations/{object}/{id}', { params: { ...at(Number(id)), query: { cursor } }, signal }))
export const peekThread = (id: number, reason: string, cursor?: string) =>
  data(api.POST('/api/conversations/{object}/{id}/peek', { params: at(id), body: { reason, cursor } }))
export const sendNote = (id: number, body: { words: string; fileIds: number[]; meant: boolean }, key: string) =>
  data(api.POST('/api/conversations/{object}/{id}', { params: at(id), body, ...idempotent(key) }))
export const markRead = (id: number, upTo: number) =>
  data(api.POST('/api/conversations/{object}/{id}/read', { params: at(id), body: { upTo } }))
export const withdrawNote = (note: Note) =>
  data(api.POST('/api/conversation-notes/{id}/withdraw', { params: { path: { id: note.id } } }))
/** How many notes wait to be read, by application. */
export const listUnread = () =>
  data(api.GET('/api/conversations')).then((page) => new Map(page.items.map((one) => [one.objectId, one.unread])))
export const getRule = (_: string, signal?: AbortSignal) => data(api.GET('/api/conversation-rule', { signal }))
export const setRule = (body: Rule) => data(api.PUT('/api/conversation-rule', { body }))
