import { api, data, type Schemas } from '@/api/client'

export type PolicyItem = Schemas['PolicyItem']
export type Policy = Schemas['PolicyView']
export type Line = Schemas['PolicyLine']
export type Level = PolicyItem['level']
export type Topic = PolicyItem['topic']
export type Window = PolicyItem['window']
export type Status = PolicyItem['status']

export interface PolicyQuery {
  q?: string
  level?: string
  topic?: string
  window?: string
  status?: string
  cursor?: string
  limit?: number
}

/** The library: drafts, what is in force and what has expired. */
export const listPolicies = ({ q, level, topic, window, status, cursor, limit }: PolicyQuery, signal?: AbortSignal) =>
  data(
    api.GET('/api/policies', {
      params: {
        query: {
          q: q || undefined,
          level: level || undefined,
          topic: topic || undefined,
          window: window || undefined,
          status: status || undefined,
          cursor,
          limit,
        },
      },
      signal,
    }),
  )

export const getPolicy = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/policies/{id}', { params: { path: { id: Number(id) } }, signal }))

export type Outcome = Schemas['PolicyOutcome']

/** What came of a policy, in counts. */
export const getOutcome = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/policies/{id}/outcome', { params: { path: { id: Number(id) } }, signal }))
