import { api, call, idempotent } from '@/api/client'
import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type Evidence = Schemas['EvidenceView']
export type Piece = Schemas['EvidencePieceView']
export type NewEvidence = Omit<Schemas['EvidenceAddInputBody'], '$schema'>

const at = (id: number) => ({ path: { object: 'application', id } })

/** The evidence of an application, as the company sees it. */
export const getEvidence = (id: number) => call(api.GET('/api/evidence/{object}/{id}', { params: at(id) }))

export const addEvidence = (id: number, body: NewEvidence, key: string) =>
  call(api.POST('/api/evidence/{object}/{id}', { params: at(id), body, headers: idempotent(key) }))

export const removePiece = (piece: Piece) =>
  call(api.POST('/api/evidence-pieces/{id}/remove', { params: { path: { id: piece.id } } }))
