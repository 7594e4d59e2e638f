import { api, call, idempotent } from '@/api/client'
import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type Mine = Schemas['EnterpriseMine']
export type Attempt = Schemas['EnterpriseAttemptView']
export type Fact = Schemas['EnterpriseFactView']
export type Difference = Schemas['EnterpriseDifference']
export type NameRecord = Schemas['EnterpriseNameView']
export type Members = Schemas['EnterpriseMembers']
export type Member = Schemas['EnterpriseMemberView']
export type Join = Schemas['EnterpriseJoinView']
export type MyCompany = Schemas['EnterpriseMyCompany']
export type Portrait = Schemas['EnterprisePortrait']
export type SizeView = Schemas['EnterpriseSizeView']
export type Extra = Schemas['EnterpriseExtra']
export type StatedYear = Schemas['EnterpriseStatedYear']
export type Industry = Schemas['EnterpriseIndustryOption']

/** What a company says of itself. */
export interface Claim {
  name: string
  creditCode: string
  legalPerson: string
}

/** Numbers as typed, amounts in 万元; an empty one says nothing. */
export interface Stated {
  employees: string
  revenue: string
  assets: string
  rdSpend: string
  industry: string
  insured: string
  liabilities: string
  loans: string
  patents: string
  inventions: string
  copyrights: string
  trademarks: string
}

/** The company the person acts for. */
export const getMine = (): Promise<Mine> => call(api.GET('/api/my/enterprise'))

/** The company as its facts show it, each with its origin. */
export const getPortrait = (): Promise<Portrait> => call(api.GET('/api/my/enterprise/portrait'))

/** Holds the claim against the registry; whatever it says is in the answer's outcome. */
export const verify = (body: Claim, key: string): Promise<Attempt> =>
  call(api.POST('/api/my/enterprise/verifications', { body, headers: idempotent(key) }))

/** Hands the licence to a person. */
export const applyForReview = (
  body: Claim & { note: string; fileIds: number[]; licenceId?: number },
  key: string,
): Promise<Attempt> => call(api.POST('/api/my/enterprise/reviews', { body, headers: idempotent(key) }))

/** Asks the registry for its facts of a verified company; whatever it says is in the answer's outcome. */
export const fetchFacts = (key: string): Promise<Attempt> =>
  call(api.POST('/api/my/enterprise/registry', { headers: idempotent(key) }))

/** Asks for a change of name or legal person, an empty one stays; whatever the registry says is in the answer's outcome. */
export const change = (
  body: { name: string; legalPerson: string; note: string; fileIds: number[]; licenceId?: number },
  key: string,
): Promise<Attempt> => call(api.POST('/api/my/enterprise/changes', { body, headers: idempotent(key) }))

/** Says what the company had in a year that is over. */
/** The numbers a company may say of a year that is over. */
export type StatedBooks = Omit<
  Stated,
  'industry' | 'patents' | 'inventions' | 'copyrights' | 'trademarks'
> & {
  year: string
}

export const stateBooks = (body: StatedBooks, key: string): Promise<Mine> =>
  call(api.POST('/api/my/enterprise/facts', { body, headers: idempotent(key) }))

export const stateFacts = (body: Stated, key: string): Promise<Mine> =>
  call(api.POST('/api/my/enterprise/facts', { body, headers: idempotent(key) }))

/** What the platform asks of companies beside what it knows. */
export const getExtra = (): Promise<Extra> => call(api.GET('/api/my/enterprise/extra'))

export const setExtra = (extra: Extra, values: Record<string, string[]>, key: string): Promise<Extra> =>
  call(
    api.POST('/api/my/enterprise/extra', {
      body: { version: extra.version, values },
      headers: idempotent(key),
    }),
  )

export const findIndustries = (q: string): Promise<Industry[]> =>
  call(api.GET('/api/industries', { params: { query: { q } } })).then((page) => page.items ?? [])

export const getMembers = (): Promise<Members> => call(api.GET('/api/my/enterprise/members'))

/** What a member may do in the company's name until a day; no rights take it back. */
export const setMandate = (userId: number, rights: string[], until: string, key: string): Promise<Members> =>
  call(
    api.POST('/api/my/enterprise/members/{id}/mandate', {
      params: { path: { id: userId } },
      body: { rights, until: until || undefined },
      headers: idempotent(key),
    }),
  )

export const listMyCompanies = (): Promise<MyCompany[]> =>
  call(api.GET('/api/my/enterprises')).then((page) => page.items ?? [])

export const switchTo = (id: number): Promise<unknown> =>
  call(api.POST('/api/my/enterprises/{id}/switch', { params: { path: { id } } }))

const of = (join: Join, key: string) => ({ params: { path: { id: join.id } }, headers: idempotent(key) })

export const admitJoin = (join: Join, key: string): Promise<Join> =>
  call(api.POST('/api/my/joins/{id}/admit', { ...of(join, key), body: { version: join.version } }))

export const refuseJoin = (join: Join, reason: string, key: string): Promise<Join> =>
  call(api.POST('/api/my/joins/{id}/refuse', { ...of(join, key), body: { version: join.version, reason } }))

/** Asks the operator to decide. */
export const disputeJoin = (join: Join, note: string, key: string): Promise<Join> =>
  call(api.POST('/api/my/joins/{id}/dispute', { ...of(join, key), body: { version: join.version, note } }))
