import { api, data, idempotent, type Schemas } from '@/api/client'

export type ApplicationItem = Schemas['InstitutionApplicationItem']
export type Application = Schemas['InstitutionApplicationView']
export type Round = Schemas['InstitutionRoundView']
export type ApplicationState = ApplicationItem['state'] | Round['outcome']
export type Staff = Schemas['InstitutionStaff']
export type Operator = Schemas['InstitutionOperator']

/** A first password, shown once. */
export interface FirstPassword {
  name: string
  account: string
  password: string
}

const at = (id: number, key: string) => ({ params: { path: { id } }, ...idempotent(key) })

/** The applications for 入驻; those that wait oldest first. */
export const listApplications = (query: { state?: string; cursor?: string; limit?: number }, signal?: AbortSignal) =>
  data(
    api.GET('/api/institution-applications', {
      params: {
        query: {
          ...query,
          state: (query.state || undefined) as Exclude<ApplicationState, 'draft' | 'withdrawn'> | undefined,
        },
      },
      signal,
    }),
  )

export const getApplication = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/institution-applications/{id}', { params: { path: { id: Number(id) } }, signal }))

export const listReturnReasons = () => data(api.GET('/api/institution-return-reasons')).then((p) => p.items ?? [])

export const checkApplication = (seen: Application, key: string) =>
  data(api.POST('/api/institution-applications/{id}/check', { ...at(seen.id, key), body: { version: seen.version } }))

export const approveApplication = (seen: Application, key: string) =>
  data(api.POST('/api/institution-applications/{id}/approve', { ...at(seen.id, key), body: { version: seen.version } }))

export const returnApplication = (seen: Application, codes: string[], text: string, key: string) =>
  data(
    api.POST('/api/institution-applications/{id}/return', {
      ...at(seen.id, key),
      body: { version: seen.version, codes, text },
    }),
  )

export const refuseApplication = (seen: Application, reason: string, key: string) =>
  data(
    api.POST('/api/institution-applications/{id}/refuse', {
      ...at(seen.id, key),
      body: { version: seen.version, reason },
    }),
  )

/** Takes the last decision of a review back; it waits again. */
export const undoReview = (seen: Application, reason: string, key: string) =>
  data(
    api.POST('/api/institution-applications/{id}/undo', {
      ...at(seen.id, key),
      body: { version: seen.version, reason },
    }),
  )

/** The people of the own institution. */
export const listOperators = (signal?: AbortSignal) => data(api.GET('/api/institution-operators', { signal }))

export const openOperator = (body: Schemas['InstitutionOperatorOpenInputBody'], key: string) =>
  data(api.POST('/api/institution-operators', { body, ...idempotent(key) }))

export const disableOperator = (seen: Operator, reason: string, key: string) =>
  data(
    api.POST('/api/institution-operators/{id}/disable', {
      ...at(seen.id, key),
      body: { version: seen.version, reason },
    }),
  )

export const enableOperator = (seen: Operator, key: string) =>
  data(api.POST('/api/institution-operators/{id}/enable', { ...at(seen.id, key), body: { version: seen.version } }))
