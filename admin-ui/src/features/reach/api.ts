import { api, data, idempotent, type Schemas } from '@/api/client'

export type Reverse = Schemas['PolicyReverse']
export type Division = Schemas['PolicyDivision']
export type Part = Schemas['PolicyPartCount']
export type SetCode = Schemas['PolicySetCount']['set']
export type Company = Schemas['PolicyJudgement']
export type Run = Schemas['PolicyRunView']
export type Audience = Schemas['PolicyAudience']
export type Preview = Schemas['PolicyPushPreview']
export type Push = Schemas['PolicyPushView']
export type Grant = Schemas['PolicyGrantView']
export type GrantCompany = Schemas['PolicyGrantCompany']
export type Objection = Schemas['PolicyObjectionView']

const at = (id: number) => ({ path: { id } })

export const getReverse = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/policies/{id}/reverse', { params: at(Number(id)), signal }))

export interface CompanyQuery {
  set: SetCode
  town: string
  industry: string
  cursor: string
  /** What the reader claims where companies have not agreed. */
  basis?: string
}

export const listCompanies = (id: number, { set, town, industry, cursor, basis }: CompanyQuery, signal?: AbortSignal) =>
  data(
    api.GET('/api/policies/{id}/companies', {
      params: {
        ...at(id),
        query: {
          set,
          town: town || undefined,
          industry: industry || undefined,
          cursor: cursor || undefined,
          basis: basis || undefined,
          limit: 20,
        },
      },
      signal,
    }),
  )

export const getCompany = (id: number, enterprise: number, basis = '') =>
  data(
    api.GET('/api/policies/{id}/companies/{enterprise}', {
      params: { path: { id, enterprise }, query: { basis: basis || undefined } },
    }),
  )

export const runMatch = (id: number, key: string) =>
  data(api.POST('/api/policies/{id}/runs', { params: at(id), ...idempotent(key) }))

export const previewPush = (id: number, body: Audience) =>
  data(api.POST('/api/policies/{id}/pushes/preview', { params: at(id), body }))

export const makePush = (id: number, body: Audience, key: string) =>
  data(api.POST('/api/policies/{id}/pushes', { params: at(id), body, ...idempotent(key) }))

export const listPushes = (policyId: number) =>
  data(api.GET('/api/policy-pushes', { params: { query: { policyId, limit: 50 } } })).then((page) => page.items)

export type PushAct = 'approve' | 'refuse' | 'pause' | 'resume' | 'stop'

export const stepPush = (act: PushAct, { id, version }: Push, reason: string, key: string) =>
  data(
    api.POST(`/api/policy-pushes/{id}/${act}`, {
      params: at(id),
      body: { version, ...(reason && { reason }) },
      ...idempotent(key),
    }),
  )

export const listGrants = (policyId: number) =>
  data(api.GET('/api/policy-grants', { params: { query: { policyId } } })).then((page) => page.items)

export const makeGrant = (id: number, key: string) =>
  data(api.POST('/api/policies/{id}/grants', { params: at(id), ...idempotent(key) }))

export type GrantAct = 'submit' | 'return' | 'publish' | 'confirming' | 'finish' | 'cancel'

export const stepGrant = (act: GrantAct, { id, version }: Grant, reason: string, key: string) =>
  data(
    api.POST(`/api/policy-grants/{id}/${act}`, {
      params: at(id),
      body: { version, ...(reason && { reason }) },
      ...idempotent(key),
    }),
  )

export const listGrantCompanies = (id: number, cursor: string) =>
  data(
    api.GET('/api/policy-grants/{id}/companies', {
      params: { ...at(id), query: { cursor: cursor || undefined, limit: 20 } },
    }),
  )

export const getEvidence = (id: number, enterprise: number, basis = '') =>
  data(
    api.GET('/api/policy-grants/{id}/companies/{enterprise}', {
      params: { path: { id, enterprise }, query: { basis: basis || undefined } },
    }),
  )

export const removeCompany = ({ id, version }: Grant, enterprise: number, reason: string, key: string) =>
  data(
    api.POST('/api/policy-grants/{id}/companies/{enterprise}/remove', {
      params: { path: { id, enterprise } },
      body: { version, reason },
      ...idempotent(key),
    }),
  )

export const decideObjection = (id: number, uphold: boolean, answer: string, key: string) =>
  data(api.POST('/api/policy-objections/{id}/decide', { params: at(id), body: { uphold, answer }, ...idempotent(key) }))
