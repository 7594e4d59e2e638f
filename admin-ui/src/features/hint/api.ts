import { api, data, idempotent, type Schemas } from '@/api/client'

export type Hint = Schemas['TicketHint']
export type HintStep = Schemas['TicketHintStep']
export type HintBody = Omit<Schemas['SetHintInputBody'], 'version'>

export const listHints = () => data(api.GET('/api/ticket-hints'))

/** Sets what is read at a step; nothing at all takes the hint away. */
export const saveHint = (step: HintStep, version: number, body: HintBody, key: string) =>
  data(
    api.POST('/api/ticket-hints/{for}/{step}', {
      params: { path: { for: step.for, step: step.step } },
      body: { version, ...body },
      ...idempotent(key),
    }),
  )
