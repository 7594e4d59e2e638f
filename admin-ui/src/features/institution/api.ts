import { api, data, idempotent, type Schemas } from '@/api/client'

export type InstitutionItem = Schemas['InstitutionItem']
export type InstitutionStatus = InstitutionItem['status']
export type Institution = Schemas['InstitutionView']
export type Details = Schemas['InstitutionDetails']
export type Licence = Schemas['InstitutionLicence']

export interface InstitutionQuery {
  kind?: string
  status?: string
  q?: string
  cursor?: string
  limit?: number
}

/** All institutions for staff with the right, the own one for an operator. */
export const listInstitutions = ({ kind, status, q, cursor, limit }: InstitutionQuery, signal?: AbortSignal) =>
  data(
    api.GET('/api/institutions', {
      params: {
        query: {
          kind: kind || undefined,
          status: (status || undefined) as InstitutionStatus | undefined,
          q: q || undefined,
          cursor,
          limit,
        },
      },
      signal,
    }),
  )

export const getInstitution = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/institutions/{id}', { params: { path: { id: Number(id) } }, signal }))

export const openInstitution = (body: Details, key: string) =>
  data(api.POST('/api/institutions', { body, ...idempotent(key) }))

export const editInstitution = (id: number, body: Schemas['InstitutionEditInputBody'], key: string) =>
  data(api.POST('/api/institutions/{id}/edit', { params: { path: { id } }, body, ...idempotent(key) }))

export const suspendInstitution = (seen: Institution, reason: string, key: string) =>
  data(
    api.POST('/api/institutions/{id}/suspend', {
      params: { path: { id: seen.id } },
      body: { version: seen.version, reason },
      ...idempotent(key),
    }),
  )

export const resumeInstitution = (seen: Institution, key: string) =>
  data(
    api.POST('/api/institutions/{id}/resume', {
      params: { path: { id: seen.id } },
      body: { version: seen.version },
      ...idempotent(key),
    }),
  )
