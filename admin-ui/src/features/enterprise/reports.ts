import { api, data, idempotent, type Page, type Schemas } from '@/api/client'

export type CreditReport = Schemas['EnterpriseReportView']
export type CreditReportItem = Schemas['EnterpriseReportItem']

/** The credit reports that staff made of a company, newest first. */
export const listReports = (id: number, cursor?: string, signal?: AbortSignal): Promise<Page<CreditReportItem>> =>
  data(api.GET('/api/enterprises/{id}/reports', { params: { path: { id }, query: { cursor } }, signal })).then((p) => ({
    items: p.items ?? [],
    nextCursor: p.nextCursor,
  }))

/** Freezes what is known of a company now, with its consent or on a basis. */
export const makeReport = (id: number, basis: string, key: string) =>
  data(
    api.POST('/api/enterprises/{id}/reports', {
      params: { path: { id } },
      ...idempotent(key),
      body: { basis: basis || undefined },
    }),
  )

/** A report as it was made. */
export const getReport = (number: string, signal?: AbortSignal, basis?: string) =>
  data(
    api.GET('/api/enterprise-reports/{number}', {
      params: { path: { number }, query: { basis: basis || undefined } },
      signal,
    }),
  )
