import { api, data, idempotent, type Schemas } from '@/api/client'

export type Callback = Schemas['TicketCallbackView']
export type Card = Schemas['TicketCallbackCard']
export type Plan = Schemas['TicketCallbackPlan']
export type Result = NonNullable<Callback['result']>
export type Record = Omit<Schemas['CallbackRecordInputBody'], '$schema' | 'version'>
export type NewPlan = Omit<Schemas['CallbackPlanInputBody'], '$schema'>
export type View = 'due' | 'later' | 'unreached' | 'spared' | 'done'

export const listCallbacks = (view: View, cursor?: string, signal?: AbortSignal) =>
  data(api.GET('/api/ticket-callbacks', { params: { query: { view, cursor } }, signal }))

export const getCallback = (id: number | string) =>
  data(api.GET('/api/ticket-callbacks/{id}', { params: { path: { id: Number(id) } } }))

export const claimCallback = (key: string) => data(api.POST('/api/ticket-callbacks/claim', { ...idempotent(key) }))

export const releaseCallback = (id: number) =>
  data(api.POST('/api/ticket-callbacks/{id}/release', { params: { path: { id } } }))

/** Keeps what a call brought; the ticket ends, is done again, or waits for the next call. */
export const recordCallback = (ticketId: number, version: number, body: Record, key: string) =>
  data(
    api.POST('/api/tickets/{id}/callback-record', {
      params: { path: { id: ticketId } },
      body: { version, ...body },
      ...idempotent(key),
    }),
  )

export const listPlans = () => data(api.GET('/api/ticket-callback-plans')).then((page) => page.items)

export const setPlan = (body: NewPlan, key: string) =>
  data(api.POST('/api/ticket-callback-plans', { body, ...idempotent(key) }))
