import { api, call, idempotent } from '@/api/client'
import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type ApplicationItem = Schemas['ApplicationItem']
export type ApplicationStatus = ApplicationItem['status']
export type Application = Schemas['ApplicationView']
export type ApplicationFile = Schemas['ApplicationFileView']
export type ApplicationForm = Schemas['ApplicationForm']
/** A field that administrators define. */
export type OwnField = ApplicationForm['fields'][number]
export type Offer = Schemas['ApplicationOffer']
export type DraftItem = Schemas['ApplicationDraftItem']
export type DraftFile = Schemas['ApplicationDraftFile']
/** A form as it was typed: every field is a text. */
export type Typed = Schemas['ApplicationTyped']
export type NewApplication = Omit<Schemas['ApplicationSubmitInputBody'], 'source'>

/** The company's applications, newest first. */
export const listApplications = (status: ApplicationStatus[], cursor: string | undefined) =>
  call(
    api.GET('/api/applications', {
      // one value with commas, as the server reads lists
      params: {
        query: { status: status.length ? ([status.join(',')] as never) : undefined, cursor, limit: 20 },
      },
    }),
  )

export const getApplication = (id: number) =>
  call(api.GET('/api/applications/{id}', { params: { path: { id } } }))

/** What is known before applying: the product's terms, the company, the contact, the draft. */
export const getForm = (product: number) =>
  call(api.GET('/api/application-forms/{product}', { params: { path: { product } } }))

export const listDrafts = () => call(api.GET('/api/application-drafts')).then((page) => page.items ?? [])

export const saveDraft = (product: number, body: Typed) =>
  call(api.POST('/api/application-drafts/{product}', { params: { path: { product } }, body }))

export const discardDraft = (product: number) =>
  call(api.POST('/api/application-drafts/{product}/discard', { params: { path: { product } } }))

export const submitApplication = (body: NewApplication, key: string) =>
  call(api.POST('/api/applications', { body: { ...body, source: 'h5' }, headers: idempotent(key) }))

export const withdrawApplication = (application: Application, key: string) =>
  call(
    api.POST('/api/applications/{id}/withdraw', {
      params: { path: { id: application.id } },
      body: { version: application.version },
      headers: idempotent(key),
    }),
  )

/** Confirms what was delivered, or objects to it; an objection needs a reason. */
export const answerDelivery = (
  application: Application,
  answer: 'confirm' | 'object',
  reason: string,
  key: string,
) =>
  call(
    api.POST(`/api/applications/{id}/${answer}` as '/api/applications/{id}/confirm', {
      params: { path: { id: application.id } },
      body: { version: application.version, reason },
      headers: idempotent(key),
    }),
  )

export const supplementApplication = (
  application: Application,
  body: { note: string; fileIds: number[]; fields?: Record<string, string[]> },
  key: string,
) =>
  call(
    api.POST('/api/applications/{id}/supplement', {
      params: { path: { id: application.id } },
      body: { version: application.version, ...body },
      headers: idempotent(key),
    }),
  )

/** Answers what is required of the company and was never answered. */
export const fillApplication = (id: number, version: number, values: Record<string, string[]>, key: string) =>
  call(
    api.POST('/api/applications/{id}/fields', {
      params: { path: { id } },
      body: { version, values },
      headers: idempotent(key),
    }),
  )
