import { api, data, idempotent, type Schemas } from '@/api/client'
import type { HintBody } from '../hint/api'

export type ApplicationHint = Schemas['ApplicationHint']
export type ApplicationHintStep = Schemas['ApplicationHintStep']

export const listApplicationHints = () => data(api.GET('/api/application-hints'))

/** Sets what is read at a step of a kind of products, "" for all kinds; nothing at all takes the hint away. */
export const saveApplicationHint = (
  kind: string,
  step: ApplicationHintStep,
  version: number,
  body: HintBody,
  key: string,
) =>
  data(
    api.POST('/api/application-hints/{kind}/{for}/{step}', {
      params: { path: { kind: kind || 'all', for: step.for, step: step.step } },
      body: { version, ...body },
      ...idempotent(key),
    }),
  )
