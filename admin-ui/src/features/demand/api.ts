import { api, data, idempotent, type Schemas } from '@/api/client'

export type Demand = Schemas['DemandView']
export type DemandItem = Schemas['DemandItem']
export type DemandState = Demand['state']
export type HallItem = Schemas['DemandHallItem']
export type HallView = Schemas['DemandHallView']
export type Quote = Schemas['DemandQuoteView']
export type QuoteItem = Schemas['DemandQuoteItem']
export type QuoteState = Quote['state']
export type Match = Schemas['DemandMatch']
export type Tally = Schemas['DemandTally']
export type Bid = Omit<Schemas['DemandQuoteInputBody'], '$schema'>

const at = (id: number | string) => ({ path: { id: Number(id) } })

export const listKinds = (signal?: AbortSignal) =>
  data(api.GET('/api/demand-options', { signal })).then((options) => options.kinds ?? [])
export const listDemands = (
  query: { state?: DemandState[]; kind?: string; q?: string; cursor?: string; limit?: number },
  signal?: AbortSignal,
) =>
  data(
    api.GET('/api/demands', {
      params: { query },
      signal,
      querySerializer: { array: { style: 'form', explode: false } },
    }),
  )
export const getDemand = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/demands/{id}', { params: at(id), signal }))
export const listMatches = (id: number, signal?: AbortSignal) =>
  data(api.GET('/api/demands/{id}/matches', { params: at(id), signal })).then((page) => page.items ?? [])
export const listReasons = () => data(api.GET('/api/demand-reasons')).then((page) => page.items ?? [])
export const approve = (v: Demand, without: number[], key: string) =>
  data(
    api.POST('/api/demands/{id}/approve', {
      params: at(v.id),
      body: { version: v.version, without },
      ...idempotent(key),
    }),
  )
export const giveBack = (v: Demand, codes: string[], text: string, key: string) =>
  data(
    api.POST('/api/demands/{id}/return', {
      params: at(v.id),
      body: { version: v.version, codes, text },
      ...idempotent(key),
    }),
  )
export const invite = (id: number, institutionId: number, key: string) =>
  data(api.POST('/api/demands/{id}/invitations', { params: at(id), body: { institutionId }, ...idempotent(key) }))
export const uninvite = (id: number, institutionId: number, reason: string, key: string) =>
  data(
    api.POST('/api/demands/{id}/invitations/{institutionId}/remove', {
      params: { path: { id, institutionId } },
      body: { reason },
      ...idempotent(key),
    }),
  )
export const browse = (
  query: {
    q?: string
    kind?: string
    sort?: 'new' | 'until' | 'budget'
    invited?: boolean
    page?: number
    limit?: number
  },
  signal?: AbortSignal,
) => data(api.GET('/api/demand-hall', { params: { query }, signal }))
export const getHall = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/demand-hall/{id}', { params: at(id), signal }))
export const bid = (id: number, body: Bid, key: string) =>
  data(api.PUT('/api/demands/{id}/quote', { params: at(id), body, ...idempotent(key) }))
export const unbid = (id: number, version: number, key: string) =>
  data(api.POST('/api/demands/{id}/quote/withdraw', { params: at(id), body: { version }, ...idempotent(key) }))
export const listQuotes = (query: { state?: QuoteState; cursor?: string; limit?: number }, signal?: AbortSignal) =>
  data(api.GET('/api/demand-quotes', { params: { query }, signal }))
export const getStats = (from: string, to: string, signal?: AbortSignal) =>
  data(
    api.GET('/api/demand-stats', { params: { query: { from: from || undefined, to: to || undefined } }, signal }),
  ).then((page) => page.items ?? [])
export const getOrigin = (applicationId: string, signal?: AbortSignal) =>
  data(api.GET('/api/applications/{id}/demand', { params: at(applicationId), signal }))
