import { api, data, idempotent, type Schemas } from '@/api/client'

export type Month = Schemas['AppraisalMonthView']
export type UnitRow = Schemas['AppraisalUnitRow']
export type Figure = Schemas['AppraisalFigure']
export type Rate = Figure['rate']
export type CaseView = Schemas['AppraisalCaseView']
export type Formula = Schemas['AppraisalFormula']

export const getMonth = (month: string, edition: number, live: boolean, signal?: AbortSignal) =>
  data(
    api.GET('/api/appraisal/months/{month}', {
      params: { path: { month }, query: { edition: edition || undefined, live: live || undefined } },
      signal,
    }),
  )

export const listCases = (month: string, unitId: number, rate: Rate, left: boolean, cursor?: string) =>
  data(
    api.GET('/api/appraisal/months/{month}/cases', {
      params: { path: { month }, query: { unitId: unitId || undefined, rate, left: left || undefined, cursor } },
    }),
  )

export const correct = (month: string, edition: number, reason: string, key: string) =>
  data(
    api.POST('/api/appraisal/months/{month}/correct', {
      params: { path: { month } },
      body: { edition, reason },
      ...idempotent(key),
    }),
  )

export const listFormulas = () => data(api.GET('/api/appraisal/formulas')).then((page) => page.items)

export const setFormula = (body: Omit<Schemas['AppraisalFormulaInputBody'], '$schema'>, key: string) =>
  data(api.POST('/api/appraisal/formulas', { body, ...idempotent(key) }))

export type Rebuilding = Schemas['AppraisalRebuilding']
export const getRebuilding = (_: string, signal?: AbortSignal) => data(api.GET('/api/appraisal/rebuild', { signal }))
/** Has all cases made anew from the log, in the background. */
export const rebuild = (key: string) => data(api.POST('/api/appraisal/rebuild', idempotent(key)))
