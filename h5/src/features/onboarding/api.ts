import { api, call, idempotent } from '@/api/client'
import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type Desk = Schemas['InstitutionOnboardingDesk']
export type Application = NonNullable<Desk['application']>
export type Document = Application['documents'][number]
export type Typed = Omit<Schemas['InstitutionOnboardingForm'], '$schema' | 'version'>

/** A licence or permit that is to be added. */
export interface NewPaper {
  docName: string
  docNo: string
  docTo: string
  fileIds: number[]
}

export const getDesk = (id?: number) => call(api.GET('/api/onboarding', { params: { query: { id } } }))

export const saveDraft = (body: Typed, version: number, key: string) =>
  call(api.POST('/api/onboarding/draft', { body: { ...body, version }, headers: idempotent(key) }))
export const addPaper = (body: Typed, version: number, paper: NewPaper, key: string) =>
  call(
    api.POST('/api/onboarding/documents', { body: { ...body, version, ...paper }, headers: idempotent(key) }),
  )
export const removePaper = (body: Typed, version: number, id: number, key: string) =>
  call(
    api.POST('/api/onboarding/documents/{id}/remove', {
      params: { path: { id } },
      body: { ...body, version },
      headers: idempotent(key),
    }),
  )
export const submit = (body: Typed, version: number, key: string) =>
  call(api.POST('/api/onboarding/submit', { body: { ...body, version }, headers: idempotent(key) }))
export const withdraw = (a: Application, key: string) =>
  call(
    api.POST('/api/onboarding/{id}/withdraw', {
      params: { path: { id: a.id } },
      body: { version: a.version },
      headers: idempotent(key),
    }),
  )
