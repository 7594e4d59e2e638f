import { api, call, idempotent } from '@/api/client'
import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type Consents = Schemas['ConsentMine']
export type Asked = Schemas['ConsentAsked']
export type Grant = Schemas['ConsentGrantView']
export type Reading = Schemas['ConsentAccessView']

/** What the company is asked for, what it agreed to, and what was before. */
export const getConsents = (): Promise<Consents> => call(api.GET('/api/my/consents'))

/** Agrees to the words that were read: other ones in force by now are a conflict. */
export const give = (asked: Asked, key: string): Promise<Asked> =>
  call(
    api.POST('/api/my/consents/{purpose}/give', {
      params: { path: { purpose: asked.code } },
      body: { textId: asked.text?.id ?? 0, digest: asked.text?.digest ?? '' },
      headers: idempotent(key),
    }),
  )

export const revoke = (asked: Asked, reason: string, key: string): Promise<Asked> =>
  call(
    api.POST('/api/my/consents/{purpose}/revoke', {
      params: { path: { purpose: asked.code } },
      body: { grantId: asked.grant?.id ?? 0, reason },
      headers: idempotent(key),
    }),
  )

/** Who read the company's data, newest first. */
export const listReadings = (cursor?: string) =>
  call(api.GET('/api/my/consent-accesses', { params: { query: { cursor } } }))
