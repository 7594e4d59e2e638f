import { api, call, idempotent } from '@/api/client'
import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type Evidence = Schemas['EvidenceView']
export type Piece = Schemas['EvidencePieceView']
export type NewEvidence = Omit<Schemas['EvidenceAddInputBody'], '$schema'>

/** What has evidence: an application, or a service given without the platform. */
export interface Case {
  object: 'application' | 'offline_service'
  id: number
}
const at = ({ object, id }: Case) => ({ path: { object, id } })

/** Where the company sees the case. */
export const placeOf = ({ object, id }: Case) =>
  object === 'application' ? `/applications/${id}` : '/offline-services'

/** The evidence of a case, as the company sees it. */
export const getEvidence = (of: Case) => call(api.GET('/api/evidence/{object}/{id}', { params: at(of) }))

export const addEvidence = (of: Case, body: NewEvidence, key: string) =>
  call(api.POST('/api/evidence/{object}/{id}', { params: at(of), body, headers: idempotent(key) }))

export const removePiece = (piece: Piece) =>
  call(api.POST('/api/evidence-pieces/{id}/remove', { params: { path: { id: piece.id } } }))
