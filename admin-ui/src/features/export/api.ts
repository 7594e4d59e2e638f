import { api, data, idempotent, type Schemas } from '@/api/client'

export type ExportView = Schemas['ExportView']
export type ExportSource = Schemas['ExportSourceView']
export type ExportState = ExportView['state']
export type ExportFormat = ExportView['format']

export const listSources = () => data(api.GET('/api/export-sources'))

export const listExports = (query: { cursor?: string | undefined; limit: number }, signal?: AbortSignal) =>
  data(
    api.GET('/api/exports', {
      params: { query: { limit: query.limit, ...(query.cursor ? { cursor: query.cursor } : {}) } },
      ...(signal ? { signal } : {}),
    }),
  )

export const createExport = (body: Schemas['ExportCreateInputBody'], key: string) =>
  data(api.POST('/api/exports', { body, ...idempotent(key) }))

export const cancelExport = (id: number) => data(api.POST('/api/exports/{id}/cancel', { params: { path: { id } } }))

export const retryExport = (id: number) => data(api.POST('/api/exports/{id}/retry', { params: { path: { id } } }))

export const fileOf = (id: number): string => `/api/exports/${id}/file`
