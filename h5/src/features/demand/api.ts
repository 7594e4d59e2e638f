import { api, call, idempotent } from '@/api/client'
import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type Demand = Schemas['DemandView']
export type DemandItem = Schemas['DemandItem']
export type DemandState = Demand['state']
export type DemandQuote = Schemas['DemandQuoteView']
export type HallItem = Schemas['DemandHallItem']
export type HallView = Schemas['DemandHallView']
/** A form as it was typed: every field is a text. */
export type Typed = Omit<Schemas['DemandTyped'], '$schema'>
export type Sort = 'new' | 'until' | 'budget'

const at = (id: number) => ({ path: { id } })
const pageSize = 20

export const listKinds = () => call(api.GET('/api/demand-options')).then((options) => options.kinds ?? [])

/** A page of the hall; the cursor is the number of the page. */
export async function browse(query: { q?: string; kind?: string; sort?: Sort }, cursor: string | undefined) {
  const page = Number(cursor ?? 1)
  const found = await call(
    api.GET('/api/demand-hall', {
      params: {
        query: {
          q: query.q || undefined,
          kind: query.kind || undefined,
          sort: query.sort,
          page,
          limit: pageSize,
        },
      },
    }),
  )
  return {
    items: found.items ?? [],
    nextCursor: page < found.last ? String(page + 1) : '',
    count: found.count,
  }
}

export const getHall = (id: number) => call(api.GET('/api/demand-hall/{id}', { params: at(id) }))

/** The company's demands, newest first. */
export const listDemands = (states: DemandState[], cursor: string | undefined) =>
  call(
    api.GET('/api/demands', {
      // one value with commas, as the server reads lists
      params: {
        query: { state: states.length ? ([states.join(',')] as never) : undefined, cursor, limit: pageSize },
      },
    }),
  )
export type QuoteOrder = Demand['order']

export const getDemand = (id: number, order?: QuoteOrder) =>
  call(api.GET('/api/demands/{id}', { params: { path: { id }, query: { order } } }))

export const newDraft = (body: Typed, key: string) =>
  call(api.POST('/api/demands', { body, headers: idempotent(key) }))
export const saveDraft = (id: number, version: number, body: Typed, key: string) =>
  call(api.PUT('/api/demands/{id}', { params: at(id), body: { ...body, version }, headers: idempotent(key) }))
export const submitDemand = (id: number, version: number, key: string) =>
  call(api.POST('/api/demands/{id}/submit', { params: at(id), body: { version }, headers: idempotent(key) }))
export const recallDemand = (v: Demand, key: string) =>
  call(
    api.POST('/api/demands/{id}/recall', {
      params: at(v.id),
      body: { version: v.version },
      headers: idempotent(key),
    }),
  )
export const discardDemand = (v: Demand, key: string) =>
  call(
    api.POST('/api/demands/{id}/discard', {
      params: at(v.id),
      body: { version: v.version },
      headers: idempotent(key),
    }),
  )
export const closeDemand = (v: Demand, reason: string, key: string) =>
  call(
    api.POST('/api/demands/{id}/close', {
      params: at(v.id),
      body: { version: v.version, reason },
      headers: idempotent(key),
    }),
  )
export const pickQuote = (v: Demand, quote: DemandQuote, key: string) =>
  call(
    api.POST('/api/demands/{id}/pick', {
      params: at(v.id),
      body: { version: v.version, quoteId: quote.id, quoteVersion: quote.version },
      headers: idempotent(key),
    }),
  )
export const getOrigin = (applicationId: number) =>
  call(api.GET('/api/applications/{id}/demand', { params: at(applicationId) }))
