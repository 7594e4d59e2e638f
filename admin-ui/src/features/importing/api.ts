import { api, data, idempotent, sendForm, type Schemas } from '@/api/client'

export type ImportView = Schemas['ImportingView']
export type ImportItem = Schemas['ImportingItem']
export type ImportTarget = Schemas['ImportingTargetView']
export type ImportSheet = Schemas['ImportingSheetView']
export type ImportRow = Schemas['ImportingRowView']
export type ImportState = ImportItem['state']
export type RowState = ImportRow['state']
export type Duplicates = 'skip' | 'update' | 'refuse'

export const listTargets = () => data(api.GET('/api/import-targets'))

export const listImports = (query: { cursor?: string | undefined; limit: number }, signal?: AbortSignal) =>
  data(
    api.GET('/api/imports', {
      params: { query: { limit: query.limit, ...(query.cursor ? { cursor: query.cursor } : {}) } },
      ...(signal ? { signal } : {}),
    }),
  )

export const getImport = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/imports/{id}', { params: { path: { id: Number(id) } }, ...(signal ? { signal } : {}) }))

export const listRows = (id: number, state: RowState[], cursor: string, signal?: AbortSignal) =>
  data(
    api.GET('/api/imports/{id}/rows', {
      params: { path: { id }, query: { limit: 50, ...(state.length ? { state } : {}), ...(cursor ? { cursor } : {}) } },
      ...(signal ? { signal } : {}),
    }),
  )

export const sendImport = (target: string, file: File, onProgress: (done: number) => void): Promise<ImportView> =>
  sendForm('/api/imports', { target }, file, onProgress)

export const mapImport = (id: number, body: Schemas['ImportMapInputBody'], key: string) =>
  data(api.POST('/api/imports/{id}/mapping', { params: { path: { id } }, body, ...idempotent(key) }))

export const publishImport = (id: number, key: string) =>
  data(api.POST('/api/imports/{id}/publish', { params: { path: { id } }, ...idempotent(key) }))

export const cancelImport = (id: number, key: string) =>
  data(api.POST('/api/imports/{id}/cancel', { params: { path: { id } }, ...idempotent(key) }))

export type ImportFeed = Schemas['ImportingFeedView']
export type ImportFlag = Schemas['ImportingFlagView']

export const listFeeds = () => data(api.GET('/api/import-feeds')).then((p): ImportFeed[] => p.items ?? [])

export const startFeed = (feed: string, duplicates: Duplicates, key: string) =>
  data(api.POST('/api/import-feeds', { ...idempotent(key), body: { feed, duplicates } }))

export const resumeImport = (id: number, key: string) =>
  data(api.POST('/api/imports/{id}/resume', { params: { path: { id } }, ...idempotent(key) }))

export const decideRows = (id: number, what: { rows?: number[]; flag?: string; accept: boolean }, key: string) =>
  data(api.POST('/api/imports/{id}/decisions', { params: { path: { id } }, body: what, ...idempotent(key) }))
