import { api, call, idempotent } from '@/api/client'
import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type Shelf = Schemas['LicenceShelf']
export type Licence = Schemas['LicenceView']

/** What is said of a paper. */
export interface Paper {
  kind: string
  number: string
  issuer: string
  issuedOn: string
  expiresOn: string
}

/** The company's papers, those that end first before the others, then the past ones. */
export const getShelf = (): Promise<Shelf> => call(api.GET('/api/my/licences'))

/** Keeps a paper, in the place of another when one is given. */
export const keep = (paper: Paper, fileIds: number[], old: Licence | null, key: string): Promise<Licence> =>
  call(
    api.POST('/api/my/licences', {
      body: { ...paper, fileIds, replaces: old?.id, version: old?.version },
      headers: idempotent(key),
    }),
  )

export const remove = (licence: Licence, key: string): Promise<Licence> =>
  call(
    api.POST('/api/my/licences/{id}/remove', {
      params: { path: { id: licence.id } },
      body: { version: licence.version },
      headers: idempotent(key),
    }),
  )
