import { api, call, idempotent } from '@/api/client'
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
export type AnswerItem = Schemas['PolicyAnswerItem']
export type GivenAnswer = Schemas['PolicyAnswerView']
export type PublicGrant = Schemas['PolicyPublicGrant']
export type ShownGrant = Schemas['PolicyShownGrant']
export type MyGrant = Schemas['PolicyMyGrant']

export type PolicyFilters = Schemas['PolicyFilters']

/** What narrows the library; empty values leave everything in. */
export interface PolicyQuery {
  q: string
  window: string
  kind: string
  level: string
  topic: string
  region: string
  industry: string
  issuer: string
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

/** What the library can be narrowed by, and how many policies a query leaves. */
export const policyFilters = (query: PolicyQuery) =>
  call(api.GET('/api/policy-filters', { params: { query: told({ ...query }) } }))

/** What each published edition of a policy changed. */
export const getRevisions = (id: number) =>
  call(api.GET('/api/policies/{id}/revisions', { params: { path: { id } } }))

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
export const followPolicies = (kind: Followed['kind'], value: string, end: boolean, key: string) =>
  call(
    api.POST('/api/policy-subscriptions', {
      body: { kind, value, end: end || undefined },
      headers: idempotent(key),
    }),
  )

/** What the company was answered and what the person asked by a few conditions, newest first. */
export const listAnswers = (cursor: string | undefined) =>
  call(api.GET('/api/policy-answers', { params: { query: { cursor } } }))

/** An answer as it was given, by the texts and facts of then. */
export const getAnswer = (number: string) =>
  call(api.GET('/api/policy-answers/{number}', { params: { path: { number } } }))

export const removeAnswer = (number: string, key: string) =>
  call(
    api.POST('/api/policy-answers/{number}/remove', {
      params: { path: { number } },
      headers: idempotent(key),
    }),
  )

/** The lists without application that are or were shown. */
export const listGrants = () => call(api.GET('/api/public/policy-grants')).then((page) => page.items ?? [])

/** The lists the own company is on. */
export const myGrants = () => call(api.GET('/api/my/policy-grants')).then((page) => page.items ?? [])

export const getGrant = (id: number, cursor: string | undefined) =>
  call(api.GET('/api/public/policy-grants/{id}', { params: { path: { id }, query: { cursor, limit: 50 } } }))

/** Takes what a list gives the own company, or declines it. */
export const confirmGrant = (id: number, take: boolean, key: string) =>
  call(
    api.POST('/api/my/policy-grants/{id}/confirm', {
      params: { path: { id } },
      body: { take },
      headers: idempotent(key),
    }),
  )

export interface ObjectionForm {
  enterpriseId: string
  name: string
  phone: string
  text: string
}

/** Objects to a list, or to one company on it; the number of the objection comes back. */
export const objectToGrant = (id: number, { enterpriseId, ...form }: ObjectionForm, key: string) =>
  call(
    api.POST('/api/public/policy-grants/{id}/objections', {
      params: { path: { id } },
      body: { ...form, enterpriseId: Number(enterpriseId) || undefined },
      headers: idempotent(key),
    }),
  )
