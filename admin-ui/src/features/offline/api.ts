import { api, data, idempotent, type Schemas } from '@/api/client'

export type Offline = Schemas['OfflineView']
export type Tally = Schemas['OfflineTally']
export type NewOffline = Omit<Schemas['OfflineRecord'], '$schema'>
export type State = Offline['state']

export const states: Record<State, { text: string; tone: 'warning' | 'success' | 'danger' | 'info' }> = {
  waiting: { text: '待企业确认', tone: 'warning' },
  confirmed: { text: '已确认', tone: 'success' },
  denied: { text: '企业否认', tone: 'danger' },
  cancelled: { text: '已撤销', tone: 'info' },
}

export const listOffline = (
  query: { state?: State; institutionId?: number; from?: string; to?: string; cursor?: string; limit?: number },
  signal?: AbortSignal,
) => data(api.GET('/api/offline-services', { params: { query }, signal }))
export const getOffline = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/offline-services/{id}', { params: { path: { id: Number(id) } }, signal }))
export const recordOffline = (body: NewOffline, key: string) =>
  data(api.POST('/api/offline-services', { body, ...idempotent(key) }))
export const askAgain = (v: Offline) =>
  data(api.POST('/api/offline-services/{id}/again', { params: { path: { id: v.id } } }))
export const cancelOffline = (v: Offline, reason: string) =>
  data(api.POST('/api/offline-services/{id}/cancel', { params: { path: { id: v.id } }, body: { reason } }))
export const getStats = (from: string, to: string, signal?: AbortSignal) =>
  data(
    api.GET('/api/offline-service-stats', {
      params: { query: { from: from || undefined, to: to || undefined } },
      signal,
    }),
  ).then((page) => page.items)
