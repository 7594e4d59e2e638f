import { api, data, idempotent, type Schemas } from '@/api/client'

export type Canned = Schemas['CannedView']
export type Holder = Canned['holder']
export type CannedText = Omit<Schemas['CannedText'], '$schema'>

/** The phrases the person may use, those they use most first. */
export const listCanned = (_?: string, signal?: AbortSignal) => data(api.GET('/api/canned-replies', { signal }))

export const saveCanned = (old: Pick<Canned, 'id' | 'version'> | null, body: CannedText, key: string) =>
  old
    ? data(
        api.PUT('/api/canned-replies/{id}', {
          params: { path: { id: old.id } },
          body: { ...body, version: old.version },
          ...idempotent(key),
        }),
      )
    : data(api.POST('/api/canned-replies', { body, ...idempotent(key) }))

export const removeCanned = (c: Pick<Canned, 'id' | 'version'>) =>
  data(api.POST('/api/canned-replies/{id}/remove', { params: { path: { id: c.id } }, body: { version: c.version } }))

/** The phrase with what the ticket fills in; the use is counted. */
export const fillCanned = (id: number, ticketId: number | undefined) =>
  data(api.POST('/api/canned-replies/{id}/use', { params: { path: { id } }, body: { ticketId } }))
