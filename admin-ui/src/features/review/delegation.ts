import { api, data, idempotent, type Schemas } from '@/api/client'

const reviews = [
  'enterprise.review',
  'institution.review',
  'institution.approve',
  'product.review_platform',
  'product.review_government',
]

/** Who delegates reviews, stands in for somebody, or arranges it. */
export const delegating = [...reviews, ...reviews.map((p) => `${p}:deputed`), 'review.delegations']

export type Delegations = Schemas['ReviewDelegations']
export type Delegation = Schemas['ReviewDelegationView']
export type Colleague = Schemas['ReviewColleague']

export const delegationStates: Record<string, { text: string; type: 'success' | 'warning' | 'info' }> = {
  coming: { text: '未开始', type: 'warning' },
  holds: { text: '生效中', type: 'success' },
  over: { text: '已到期', type: 'info' },
  ended: { text: '已收回', type: 'info' },
}

/** What the person delegated and what was delegated to them, everybody's for those who arrange it. */
export const listDelegations = (signal?: AbortSignal) => data(api.GET('/api/review-delegations', { signal }))

export interface NewDelegation {
  fromId?: number
  toId: number
  works: string[]
  starts: string
  ends: string
  reason: string
}

export const delegate = (body: NewDelegation, key: string) =>
  data(api.POST('/api/review-delegations', { body, ...idempotent(key) }))

export const endDelegation = (id: number) =>
  data(api.POST('/api/review-delegations/{id}/end', { params: { path: { id } } }))

/** The kinds of review that somebody may delegate. */
export const worksOf = (all: Delegations, from: number | undefined) =>
  (all.works ?? []).filter((w) => w.reviewers?.some((c) => c.id === from))

/** Everybody who may be stood in for, each once, by name. */
export function reviewersOf(all: Delegations): Colleague[] {
  const found = new Map((all.works ?? []).flatMap((w) => w.reviewers ?? []).map((c) => [c.id, c]))
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name, 'zh'))
}

/** Who may stand in for somebody in all of the kinds that were chosen. */
export function candidatesOf(all: Delegations, works: string[], from: number | undefined): Colleague[] {
  const chosen = (all.works ?? []).filter((w) => works.includes(w.key))
  return (chosen[0]?.candidates ?? []).filter(
    (c) => c.id !== from && chosen.every((w) => w.candidates?.some((x) => x.id === c.id)),
  )
}
