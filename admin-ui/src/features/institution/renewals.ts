import { api, data, idempotent, type Schemas } from '@/api/client'

export type Renewal = Schemas['InstitutionRenewalView']
export type RenewalState = Renewal['state']

/** What is handed in: a paper in the place of one, or one more. */
export type NewRenewal = Schemas['InstitutionRenewalInputBody']

const at = (id: number, key: string) => ({ params: { path: { id } }, ...idempotent(key) })

/** The papers that were handed in, newest first: an institution reads its own. */
export const listRenewals = (query: { state?: string; cursor?: string; limit?: number }, signal?: AbortSignal) =>
  data(
    api.GET('/api/institution-renewals', {
      params: { query: { ...query, state: (query.state || undefined) as RenewalState | undefined } },
      signal,
    }),
  )

export const getRenewal = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/institution-renewals/{id}', { params: { path: { id: Number(id) } }, signal }))

export const handIn = (body: NewRenewal, key: string) =>
  data(api.POST('/api/institution-renewals', { body, ...idempotent(key) }))

export const passRenewal = (seen: Renewal, key: string) =>
  data(api.POST('/api/institution-renewals/{id}/pass', { ...at(seen.id, key), body: { version: seen.version } }))

export const returnRenewal = (seen: Renewal, reason: string, key: string) =>
  data(
    api.POST('/api/institution-renewals/{id}/return', { ...at(seen.id, key), body: { version: seen.version, reason } }),
  )

/** Takes the decision on a paper back. */
export const undoRenewal = (seen: Renewal, reason: string, key: string) =>
  data(
    api.POST('/api/institution-renewals/{id}/undo', { ...at(seen.id, key), body: { version: seen.version, reason } }),
  )

export const withdrawRenewal = (seen: Renewal, key: string) =>
  data(api.POST('/api/institution-renewals/{id}/withdraw', { ...at(seen.id, key), body: { version: seen.version } }))
