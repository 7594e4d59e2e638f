import { api, data, idempotent, type Schemas } from '@/api/client'

export type EvaluationItem = Schemas['EvaluationItem']
export type Evaluation = Schemas['EvaluationView']
export type Asked = Schemas['EvaluationAsked']
export type Ranking = Schemas['EvaluationRanking']
export type Ranked = Schemas['EvaluationRanked']
export type FormView = Schemas['EvaluationFormView']
export type SetForm = Omit<Schemas['EvaluationSetForm'], '$schema'>
export type RuleView = Schemas['EvaluationRuleView']
export type SetRule = Omit<Schemas['EvaluationSetRule'], '$schema'>
export type Cause = Schemas['EvaluationReportInputBody']['cause']
export type Result = Schemas['EvaluationDecideInputBody']['result']
export type State = 'low' | 'unanswered' | 'reported' | 'hidden' | 'voided'

export const listEvaluations = (
  query: {
    state?: State
    institutionId?: number
    level?: number
    from?: string
    to?: string
    cursor?: string
    limit?: number
  },
  signal?: AbortSignal,
) => data(api.GET('/api/evaluations', { params: { query }, signal }))

export const getEvaluation = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/evaluations/{id}', { params: { path: { id: Number(id) } }, signal }))

/** What was said of an application. */
export const getAsked = (id: string, signal?: AbortSignal) =>
  data(
    api.GET('/api/evaluation-subjects/{object}/{id}', {
      params: { path: { object: 'application', id: Number(id) } },
      signal,
    }),
  )

const of = (v: Evaluation) => ({ path: { id: v.id } })

export const replyTo = (v: Evaluation, words: string, key: string) =>
  data(
    api.POST('/api/evaluations/{id}/reply', { params: of(v), body: { version: v.version, words }, ...idempotent(key) }),
  )
export const reportIt = (v: Evaluation, cause: Cause, words: string, key: string) =>
  data(
    api.POST('/api/evaluations/{id}/report', {
      params: of(v),
      body: { version: v.version, cause, words },
      ...idempotent(key),
    }),
  )
export const decideOn = (v: Evaluation, result: Result, reason: string, key: string) =>
  data(
    api.POST('/api/evaluations/{id}/decide', {
      params: of(v),
      body: { version: v.version, result, reason },
      ...idempotent(key),
    }),
  )
export const confirmOn = (v: Evaluation, abusive: boolean, reason: string, key: string) =>
  data(
    api.POST('/api/evaluations/{id}/confirm', {
      params: of(v),
      body: { version: v.version, abusive, reason },
      ...idempotent(key),
    }),
  )
export const restore = (v: Evaluation, words: string, key: string) =>
  data(
    api.POST('/api/evaluations/{id}/restore', {
      params: of(v),
      body: { version: v.version, words },
      ...idempotent(key),
    }),
  )

export const getRanking = (from: string, to: string, signal?: AbortSignal) =>
  data(
    api.GET('/api/evaluation-ranking', { params: { query: { from: from || undefined, to: to || undefined } }, signal }),
  )
export const listForms = (_: string, signal?: AbortSignal) => data(api.GET('/api/evaluation-forms', { signal }))
export const setForm = (body: SetForm, key: string) =>
  data(api.PUT('/api/evaluation-form', { body, ...idempotent(key) }))
export const listRules = (_: string, signal?: AbortSignal) =>
  data(api.GET('/api/evaluation-rules', { signal })).then((page) => page.items)
export const setRule = (body: SetRule, key: string) =>
  data(api.PUT('/api/evaluation-rule', { body, ...idempotent(key) }))
