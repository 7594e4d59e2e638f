import { api, data, idempotent, type Schemas } from '@/api/client'
import type { Ticket } from './api'

export type Person = Schemas['TicketPerson']
export type Present = Schemas['TicketPresent']
export type DeskView = NonNullable<Ticket['desk']>
export type Note = Schemas['TicketNoteView']
export type SavedView = Schemas['TicketSavedView']
export type ViewText = Schemas['TicketViewText']
export type ViewCount = Schemas['TicketViewCount']
export type Bulk = Schemas['TicketBulkView']
export type BulkAction = Bulk['action']
export type BulkStart = Schemas['BulkInputBody']
export type DeskTicket = Schemas['DeskTicketInputBody']

const path = (id: number) => ({ params: { path: { id } } })

export type Holding = 'claim' | 'release' | 'assign'

/** Takes a ticket, lets it go, or gives it to a colleague. */
export const holdTicket = (id: number, what: Holding, body: Schemas['HoldInputBody'], key: string) =>
  data(api.POST(`/api/tickets/{id}/${what}` as '/api/tickets/{id}/claim', { ...path(id), body, ...idempotent(key) }))

export const listColleagues = (id: number) =>
  data(api.GET('/api/tickets/{id}/colleagues', path(id))).then((page) => page.items)

export const writeNote = (id: number, body: Schemas['WriteNoteInputBody'], key: string) =>
  data(api.POST('/api/tickets/{id}/notes', { ...path(id), body, ...idempotent(key) }))

export const tagTicket = (id: number, body: Schemas['TagInputBody'], key: string) =>
  data(api.POST('/api/tickets/{id}/tags', { ...path(id), body, ...idempotent(key) }))

/** Says in which street or town the matter lies; seen is the one it was. */
export const locateTicket = (id: number, body: Schemas['LocateInputBody'], key: string) =>
  data(api.POST('/api/tickets/{id}/locate', { ...path(id), body, ...idempotent(key) }))

/** Says what the person does at a ticket; tells who else is at it. */
export const attend = (id: number, doing: 'viewing' | 'answering' | 'gone') =>
  data(api.POST('/api/tickets/{id}/presence', { ...path(id), body: { doing } })).then((page) => page.items)

export const listViews = () => data(api.GET('/api/ticket-views'))
export const countViews = () => data(api.GET('/api/ticket-views/counts')).then((page) => page.items)
export const createView = (body: ViewText, key: string) =>
  data(api.POST('/api/ticket-views', { body, ...idempotent(key) }))
export const changeView = (view: SavedView, body: ViewText, key: string) =>
  data(
    api.PUT('/api/ticket-views/{id}', {
      ...path(view.id),
      body: { ...body, version: view.version },
      ...idempotent(key),
    }),
  )
export const removeView = (view: SavedView) =>
  data(api.POST('/api/ticket-views/{id}/remove', { ...path(view.id), body: { version: view.version } }))
/** Puts the views in this order, and the list begins with one of them; 0 for none. */
export const arrangeViews = (order: number[], chosen: number) =>
  data(api.POST('/api/ticket-views/arrange', { body: { order, default: chosen } }))

export const startBulk = (body: BulkStart, key: string) =>
  data(api.POST('/api/ticket-bulks', { body, ...idempotent(key) }))
export const getBulk = (id: number) => data(api.GET('/api/ticket-bulks/{id}', path(id)))
export const undoBulk = (id: number, reason: string, key: string) =>
  data(api.POST('/api/ticket-bulks/{id}/undo', { ...path(id), body: { reason }, ...idempotent(key) }))

/** Writes a caller's request down and, at once, answers and closes it or dispatches it. */
export const openAtDesk = (body: DeskTicket, key: string) =>
  data(api.POST('/api/desk/tickets', { body, ...idempotent(key) }))
export const getDraft = () => data(api.GET('/api/desk/draft')).then((found) => found.draft)
export const keepDraft = (body: unknown) => data(api.PUT('/api/desk/draft', { body: { body } }))
export const dropDraft = () => data(api.DELETE('/api/desk/draft'))

export const queues: Record<string, string> = { free: '待领取', mine: '我的', group: '本组' }
export const sorts: Record<string, string> = { due: '时限最近的在前', urgency: '特急在前，再按时限' }
export const bulkStates: Record<string, string> = {
  waiting: '等待',
  done: '成功',
  skipped: '无需处理',
  failed: '失败',
  undone: '已撤销',
  kept: '未能撤销',
}
