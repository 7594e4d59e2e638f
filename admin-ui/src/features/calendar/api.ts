import { api, data, idempotent, type Schemas } from '@/api/client'

export type Calendar = Schemas['CalendarView']
export type Definition = Calendar['definition']
export type Period = Definition['makeUp'][number]
export type Exception = Definition['days'][number]
export type Standing = Schemas['CalendarStanding']
export type Move = Schemas['CalendarMove']
export type Moves = Schemas['PreviewOutputBody']

export const getStanding = (_: string, signal?: AbortSignal) => data(api.GET('/api/calendars/standing', { signal }))

export const listVersions = (cursor?: string, signal?: AbortSignal) =>
  data(api.GET('/api/calendars', { params: { query: { cursor } }, signal }))

export const beginDraft = (key: string) => data(api.POST('/api/calendars', idempotent(key)))

export const saveDraft = (draft: Calendar, note: string, definition: Definition, key: string) =>
  data(
    api.POST('/api/calendars/{id}/save', {
      params: { path: { id: draft.id } },
      body: { version: draft.version, note, definition },
      ...idempotent(key),
    }),
  )

export const discardDraft = (draft: Calendar, key: string) =>
  data(
    api.POST('/api/calendars/{id}/discard', {
      params: { path: { id: draft.id } },
      body: { version: draft.version },
      ...idempotent(key),
    }),
  )

export const previewDraft = (id: number, cursor?: string, signal?: AbortSignal) =>
  data(api.GET('/api/calendars/{id}/preview', { params: { path: { id }, query: { cursor } }, signal }))

export const publishDraft = (draft: Calendar, key: string) =>
  data(
    api.POST('/api/calendars/{id}/publish', {
      params: { path: { id: draft.id } },
      body: { version: draft.version },
      ...idempotent(key),
    }),
  )
