import { api, data, idempotent, type Schemas } from '@/api/client'

export type Check = Schemas['QualityListed']
export type CheckView = Schemas['QualityView']
export type Card = Schemas['QualityCardView']
export type Rule = Schemas['QualityRule']
export type Mark = Schemas['Mark']
export type Kind = Check['kind']
export type State = Check['state']
export type AgentMonth = Schemas['QualityAgentMonth']
export type MarksBody = { cardId: number; marks: Mark[]; fatal: string[]; comment: string }

export const listChecks = (
  query: { state?: State; agentId?: number; month?: string; cursor?: string; limit?: number },
  signal?: AbortSignal,
) => data(api.GET('/api/quality/checks', { params: { query }, signal }))
export const getCheck = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/quality/checks/{id}', { params: { path: { id: Number(id) } }, signal }))
export const listAgents = () => data(api.GET('/api/quality/agents')).then((page) => page.items)
export const getMonth = (month: string, signal?: AbortSignal) =>
  data(api.GET('/api/quality/month', { params: { query: { month } }, signal }))

const of = (c: Check) => ({ path: { id: c.id } })
export const scoreCheck = (c: Check, body: MarksBody, key: string) =>
  data(
    api.POST('/api/quality/checks/{id}/score', {
      params: of(c),
      body: { version: c.version, ...body },
      ...idempotent(key),
    }),
  )
export const skipCheck = (c: Check, reason: string, key: string) =>
  data(
    api.POST('/api/quality/checks/{id}/skip', {
      params: of(c),
      body: { version: c.version, reason },
      ...idempotent(key),
    }),
  )
export const appealCheck = (c: Check, reason: string, key: string) =>
  data(
    api.POST('/api/quality/checks/{id}/appeal', {
      params: of(c),
      body: { version: c.version, reason },
      ...idempotent(key),
    }),
  )
export const decideCheck = (c: Check, reason: string, again: MarksBody | null, key: string) =>
  data(
    api.POST('/api/quality/checks/{id}/decide', {
      params: of(c),
      body: {
        version: c.version,
        keep: again === null,
        reason,
        ...(again && {
          cardId: again.cardId,
          marks: { marks: again.marks, fatal: again.fatal, comment: again.comment },
        }),
      },
      ...idempotent(key),
    }),
  )

export type CardBody = Pick<Card, 'kind' | 'name' | 'items' | 'fatal'> & { base: number; withdraw?: boolean }
export const listCards = (_: string, signal?: AbortSignal) =>
  data(api.GET('/api/quality/cards', { signal })).then((page) => page.items)
export const setCard = (body: CardBody, key: string) => data(api.PUT('/api/quality/card', { body, ...idempotent(key) }))
export const getRule = (_: string, signal?: AbortSignal) => data(api.GET('/api/quality/rule', { signal }))
export const setRule = (body: Rule, key: string) => data(api.PUT('/api/quality/rule', { body, ...idempotent(key) }))
export type DrawView = Schemas['QualityDrawView']
export const listDraws = (query: { cursor?: string; limit?: number }, signal?: AbortSignal) =>
  data(api.GET('/api/quality/draws', { params: { query }, signal }))
export const drawChecks = (
  body: { from: string; to: string; agentId?: number; perAgent: number; kinds: Kind[] },
  key: string,
) => data(api.POST('/api/quality/draws', { body, ...idempotent(key) }))
export const pickTicket = (body: { number: string; kinds: Kind[]; reason: string }, key: string) =>
  data(api.POST('/api/quality/picks', { body, ...idempotent(key) }))
