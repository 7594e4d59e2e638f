import { api, call } from '@/api/client'
import type { components } from '@/api/schema'

export type Offline = components['schemas']['OfflineView']

/** The services that were recorded for the company, newest first. */
export const listOffline = (cursor: string | undefined) =>
  call(api.GET('/api/offline-services', { params: { query: { cursor, limit: 20 } } }))

export const answerOffline = (id: number, body: { yes: boolean; words: string }) =>
  call(api.POST('/api/offline-services/{id}/answer', { params: { path: { id } }, body }))
