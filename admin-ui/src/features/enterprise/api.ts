import { api, data, idempotent, type Page, type Schemas } from '@/api/client'

export type Verification = 'unverified' | 'pending' | 'verified' | 'returned'
export type EnterpriseItem = Schemas['EnterpriseItem']
export type Enterprise = Schemas['EnterpriseView']
export type Attempt = Schemas['EnterpriseAttemptView']
export type Fact = Schemas['EnterpriseFactView']
export type Join = Schemas['EnterpriseJoinView']
export type ReturnReason = Schemas['Reason']

export interface EnterpriseQuery {
  q?: string
  verification?: string
  extra?: string
  tag?: string
  cursor?: string
  limit?: number
}

/** The schema says that a list may be null; ours never is. */
const page = <T>(p: { items: T[] | null; nextCursor?: string }): Page<T> => ({
  items: p.items ?? [],
  nextCursor: p.nextCursor,
})

/** The companies of the district, newest first. */
export const listEnterprises = (
  { q, verification, extra, tag, cursor, limit }: EnterpriseQuery,
  signal?: AbortSignal,
) =>
  data(
    api.GET('/api/enterprises', {
      params: {
        query: {
          q: q || undefined,
          verification: verification || undefined,
          extra: extra || undefined,
          tag: tag || undefined,
          cursor,
          limit,
        },
      },
      signal,
    }),
  ).then(page)

/** A company. What is known of it comes as far as it agreed, or as the basis covers that the reader claims. */
export const getEnterprise = (id: string, signal?: AbortSignal, basis?: string) =>
  data(api.GET('/api/enterprises/{id}', { params: { path: { id: Number(id) }, query: { basis } }, signal }))

/** The licences that wait, oldest first. */
export const listReviews = (query: { cursor?: string; limit?: number }, signal?: AbortSignal) =>
  data(api.GET('/api/enterprise-reviews', { params: { query }, signal })).then(page)

/** What people decided, newest first. */
export const listDecisions = (query: { cursor?: string; limit?: number }, signal?: AbortSignal) =>
  data(api.GET('/api/enterprise-decisions', { params: { query }, signal })).then(page)

/** Takes a decision back; the claim waits again. */
export const undoReview = (review: Attempt, reason: string, key: string) =>
  data(
    api.POST('/api/enterprise-reviews/{id}/undo', {
      ...at(review.id, key),
      body: { version: review.version, reason },
    }),
  )

export const getReview = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/enterprise-reviews/{id}', { params: { path: { id: Number(id) } }, signal }))

/** The ready reasons for sending back a claim, or a change. */
export const listReturnReasons = (changing: boolean) =>
  data(api.GET('/api/enterprise-return-reasons', { params: { query: { changing: changing || undefined } } })).then(
    (p): ReturnReason[] => p.items ?? [],
  )

const at = (id: number, key: string) => ({ params: { path: { id } }, ...idempotent(key) })

export const approve = (review: Attempt, note: string, key: string) =>
  data(
    api.POST('/api/enterprise-reviews/{id}/approve', {
      ...at(review.id, key),
      body: { version: review.version, note },
    }),
  )

export const sendBack = (review: Attempt, code: string, text: string, key: string) =>
  data(
    api.POST('/api/enterprise-reviews/{id}/return', {
      ...at(review.id, key),
      body: { version: review.version, code, text },
    }),
  )

/** The requests to join that the platform decides, oldest first. */
export const listDisputes = (query: { cursor?: string; limit?: number }, signal?: AbortSignal) =>
  data(api.GET('/api/enterprise-joins', { params: { query }, signal })).then(page)

export const admitJoin = (join: Join, key: string) =>
  data(api.POST('/api/enterprise-joins/{id}/admit', { ...at(join.id, key), body: { version: join.version } }))

export const refuseJoin = (join: Join, reason: string, key: string) =>
  data(api.POST('/api/enterprise-joins/{id}/refuse', { ...at(join.id, key), body: { version: join.version, reason } }))
