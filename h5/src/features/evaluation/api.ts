import { api, call, idempotent } from '@/api/client'
import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type Asked = Schemas['EvaluationAsked']
export type Evaluation = Schemas['EvaluationView']
export type EvaluationForm = Schemas['EvaluationFormView']
export type Answer = Omit<Schemas['EvaluationAnswer'], '$schema'>
export type Rating = Schemas['EvaluationRating']
export type Comment = Schemas['EvaluationComment']
export type RatingOf = 'product' | 'institution'

const at = (id: number) => ({ path: { object: 'application', id } })

/** What is asked about an application, and what the company said of it. */
export const getAsked = (id: number) =>
  call(api.GET('/api/evaluation-subjects/{object}/{id}', { params: at(id) }))

export const giveEvaluation = (id: number, body: Answer, key: string) =>
  call(api.POST('/api/evaluation-subjects/{object}/{id}', { params: at(id), body, headers: idempotent(key) }))

export const reviseEvaluation = (of: Evaluation, body: Answer, key: string) =>
  call(
    api.POST('/api/evaluations/{id}/revise', {
      params: { path: { id: of.id } },
      body: { version: of.version, ...body },
      headers: idempotent(key),
    }),
  )

export const getRating = (of: RatingOf, id: number) =>
  of === 'product'
    ? call(api.GET('/api/product-ratings/{id}', { params: { path: { id } } }))
    : call(api.GET('/api/institution-ratings/{id}', { params: { path: { id } } }))

export const listComments = (of: RatingOf, id: number, cursor: string | undefined) => {
  const params = { path: { id }, query: { cursor, limit: 10 } }
  return of === 'product'
    ? call(api.GET('/api/product-ratings/{id}/comments', { params }))
    : call(api.GET('/api/institution-ratings/{id}/comments', { params }))
}
