import { api, data, idempotent, type Schemas } from '@/api/client'

export type Partner = Schemas['ExchangePartnerView']
export type Topic = Schemas['ExchangeTopic']
export type Field = Schemas['ExchangeField']
export type Offer = Schemas['ExchangeTopicsOutputBody']
export type DeliveryItem = Schemas['ExchangeDeliveryItem']
export type Delivery = Schemas['ExchangeDeliveryView']
export type DeliveryState = DeliveryItem['state']
export type Attempt = Schemas['ExchangeAttemptView']
export type Key = Schemas['ExchangeKeyView']
export type Call = Schemas['ExchangeCallView']
export type PartnerFields = Omit<Schemas['PartnerUpdateInputBody'], 'version'>
export type NewPartner = Schemas['PartnerCreateInputBody']

const at = (id: number | string) => ({ path: { id: Number(id) } })

/** What partners may subscribe to, and which fields they may get. */
export const getOffer = (_: string, signal?: AbortSignal) => data(api.GET('/api/exchange/topics', { signal }))

export interface PartnerQuery {
  state?: string
  cursor?: string
  limit?: number
}

export const listPartners = ({ state, cursor, limit }: PartnerQuery, signal?: AbortSignal) =>
  data(
    api.GET('/api/exchange/partners', {
      params: { query: { state: (state || undefined) as Partner['state'] | undefined, cursor, limit } },
      signal,
    }),
  )

export const getPartner = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/exchange/partners/{id}', { params: at(id), signal }))

export const createPartner = (body: NewPartner, key: string) =>
  data(api.POST('/api/exchange/partners', { body, ...idempotent(key) }))

export const updatePartner = (partner: Partner, fields: PartnerFields, key: string) =>
  data(
    api.PUT('/api/exchange/partners/{id}', {
      params: at(partner.id),
      body: { version: partner.version, ...fields },
      ...idempotent(key),
    }),
  )

/** Pauses or resumes the pushes, or makes a new secret, of a partner as it was last seen. */
export const actOn = (partner: Partner, action: 'pause' | 'resume' | 'secret', key: string) =>
  data(
    api.POST(`/api/exchange/partners/{id}/${action}` as '/api/exchange/partners/{id}/pause', {
      params: at(partner.id),
      body: { version: partner.version },
      ...idempotent(key),
    }),
  )

export interface DeliveryQuery {
  partner?: string
  state?: string
  subject?: string
  cursor?: string
  limit?: number
}

/** The pushes, newest first. `subject` is the number of the object in full. */
export const listDeliveries = ({ partner, state, subject, cursor, limit }: DeliveryQuery, signal?: AbortSignal) =>
  data(
    api.GET('/api/exchange/deliveries', {
      params: {
        query: {
          partner: partner ? Number(partner) : undefined,
          state: state || undefined,
          subject: subject || undefined,
          cursor,
          limit,
        },
      },
      signal,
    }),
  )

export const getDelivery = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/exchange/deliveries/{id}', { params: at(id), signal }))

/** Has a delivery pushed again, or lets its object go on without it. */
export const decide = (id: number, action: 'replay' | 'skip', reason: string, key: string) =>
  data(
    api.POST(`/api/exchange/deliveries/{id}/${action}` as '/api/exchange/deliveries/{id}/replay', {
      params: at(id),
      body: { reason },
      ...idempotent(key),
    }),
  )

export const listKeys = (partner: string, signal?: AbortSignal) =>
  data(api.GET('/api/exchange/partners/{id}/keys', { params: at(partner), signal }))

export const issueKey = (partner: number, body: Schemas['PartnerKeyIssueInputBody'], key: string) =>
  data(api.POST('/api/exchange/partners/{id}/keys', { params: at(partner), body, ...idempotent(key) }))

export const revokeKey = (id: number, key: string) =>
  data(api.POST('/api/exchange/keys/{id}/revoke', { params: at(id), ...idempotent(key) }))

export const listCalls = (partner: string, cursor: string | undefined, signal?: AbortSignal) =>
  data(
    api.GET('/api/exchange/partners/{id}/calls', { params: { ...at(partner), query: { cursor, limit: 50 } }, signal }),
  )
