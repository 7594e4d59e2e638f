import { api, data, idempotent, type Page, type Schemas } from '@/api/client'

export type ConsentText = Schemas['ConsentTextView']
export type Words = Schemas['ConsentWords']
export type Basis = Schemas['ConsentBasisView']
export type Grant = Schemas['ConsentGrantView']
export type Asked = Schemas['ConsentAsked']
export type Reading = Schemas['ConsentAccessView']

/** What a draft says. */
export interface TextForm {
  purpose: string
  title: string
  body: string
  groups: string[]
  days: number
  material: boolean
}

/** What a basis says. */
export interface BasisForm {
  code: string
  name: string
  law: string
  roles: string[]
  purposes: string[]
  groups: string[]
  active: boolean
}

const page = <T>(p: { items: T[] | null; nextCursor?: string }): Page<T> => ({
  items: p.items ?? [],
  nextCursor: p.nextCursor,
})

export const getWords = (signal?: AbortSignal) => data(api.GET('/api/consent-words', { signal }))

export const listTexts = (signal?: AbortSignal) =>
  data(api.GET('/api/consent-texts', { signal })).then((p): ConsentText[] => p.items ?? [])

export const listBases = (signal?: AbortSignal) =>
  data(api.GET('/api/consent-bases', { signal })).then((p): Basis[] => p.items ?? [])

export const saveText = (old: ConsentText | null, form: TextForm, key: string) =>
  old
    ? data(
        api.POST('/api/consent-texts/{id}', {
          params: { path: { id: old.id } },
          body: { ...form, version: old.version },
          ...idempotent(key),
        }),
      )
    : data(api.POST('/api/consent-texts', { body: form, ...idempotent(key) }))

export const publishText = (text: ConsentText, from: string, key: string) =>
  data(
    api.POST('/api/consent-texts/{id}/publish', {
      params: { path: { id: text.id } },
      body: { version: text.version, from: from || undefined },
      ...idempotent(key),
    }),
  )

export const discardText = (text: ConsentText) =>
  data(
    api.POST('/api/consent-texts/{id}/discard', {
      params: { path: { id: text.id } },
      body: { version: text.version },
    }),
  )

export const saveBasis = (old: Basis | null, { code, ...form }: BasisForm, key: string) =>
  data(
    api.POST('/api/consent-bases/{code}', {
      params: { path: { code } },
      body: { ...form, version: old?.version },
      ...idempotent(key),
    }),
  )

export interface GrantQuery {
  purpose: string
  standing?: string
  cursor?: string
  limit?: number
}

/** Who agreed to a purpose, newest first. */
export const listGrants = ({ purpose, standing, cursor, limit }: GrantQuery, signal?: AbortSignal) =>
  data(
    api.GET('/api/consents', {
      params: { query: { purpose, standing: standing || undefined, cursor, limit } },
      signal,
    }),
  ).then(page)

export const companyConsents = (id: number, signal?: AbortSignal) =>
  data(api.GET('/api/enterprises/{id}/consents', { params: { path: { id } }, signal }))

export const companyReadings = (id: number, cursor?: string, signal?: AbortSignal) =>
  data(api.GET('/api/enterprises/{id}/accesses', { params: { path: { id }, query: { cursor } }, signal })).then(page)

/** The bases the person may claim for a purpose. */
export const listOffers = (purpose: string) =>
  data(api.GET('/api/consent-offers', { params: { query: { purpose } } })).then((p) => p.items ?? [])
