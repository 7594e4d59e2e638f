import { api, call } from '@/api/client'
import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type PolicyItem = Schemas['PolicyItem']
export type Policy = Schemas['PolicyView']
export type Window = PolicyItem['window']
export type Line = Schemas['PolicyLine']
export type LineState = NonNullable<Line['state']>
export type Judged = Schemas['PolicyJudged']
export type Group = Judged['group']
export type GroupResult = Schemas['PolicyGroupResult']
export type MatchResult = Schemas['PolicyResult']
export type OneMatch = Schemas['PolicyOne']
export type Told = Schemas['Told']
export type Missing = Schemas['Missing']
export type Choices = Schemas['PolicyChoices']

/** What narrows the library; empty values leave everything in. */
export interface PolicyQuery {
  q: string
  level: string
  topic: string
  window: string
}

/** A few answers of somebody who is not matched by a company; empty ones are not told. */
export interface Answers {
  q: string
  industry: string
  region: string
  years: string
  employees: string
  revenue: string
}

const told = <T extends object>(values: T) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== '')) as Partial<T>

/** The policies in force, newest first, with a query the best first. */
export const listPolicies = (query: PolicyQuery, cursor: string | undefined) =>
  call(
    api.GET('/api/policies', {
      params: { query: { ...told(query), status: 'published', cursor, limit: 15 } },
    }),
  )

export const getPolicy = (id: number) => call(api.GET('/api/policies/{id}', { params: { path: { id } } }))

/** How the policies fit the company the person acts for; with q those a sentence describes. */
export const matchPolicies = (q: string) =>
  call(api.GET('/api/policies/match', { params: { query: told({ q }) } }))

export const matchSummary = () => call(api.GET('/api/policies/match/summary'))

export const matchPolicy = (id: number) =>
  call(api.GET('/api/policies/{id}/match', { params: { path: { id } } }))

export const quickMatch = (answers: Answers) =>
  call(api.GET('/api/policies/quick-match', { params: { query: told(answers) } }))

export const quickChoices = () => call(api.GET('/api/policies/quick-match/choices'))

export type Followed = Schemas['PolicySubscribed']

/** The windows that open and close in a month, 2026-12; empty is this one. */
export const policyCalendar = (month: string) =>
  call(api.GET('/api/policy-calendar', { params: { query: told({ month }) } }))

export const following = () => call(api.GET('/api/policy-subscriptions')).then((page) => page.items)

/** Follows a policy, an issuer, a topic, a kind or a word, or no longer. Asked twice it is one subscription. */
export const followPolicies = (kind: Followed['kind'], value: string, end: boolean) =>
  call(api.POST('/api/policy-subscriptions', { body: { kind, value, end: end || undefined } }))
