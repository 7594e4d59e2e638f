import { api, data, idempotent, type Schemas } from '@/api/client'

export type Evidence = Schemas['EvidenceView']
export type Piece = Schemas['EvidencePieceView']
export type Assessment = Schemas['EvidenceAssessmentView']
export type Target = Assessment['target']
export type CardView = Schemas['EvidenceCardView']
export type SetCard = Omit<Schemas['EvidenceSetCard'], '$schema'>
export type ListView = Schemas['EvidenceListView']
export type SetList = Omit<Schemas['EvidenceSetList'], '$schema'>
export type ListItem = Schemas['EvidenceItem']
type Marks = Omit<Schemas['EvidenceAssessInputBody'], '$schema'>

export const targets: Record<Target, string> = { institution: '服务机构', operator: '平台运营' }
export const sides: Record<Piece['side'], string> = { institution: '机构', enterprise: '企业' }

/** What has evidence: an application, or a service given without the platform. */
export interface Case {
  object: 'application' | 'offline_service'
  id: number
}
const at = (of: Case) => ({ path: { object: of.object, id: of.id } })
/** The page everybody who sees the case prints. */
export const recordOf = (of: Case) =>
  of.object === 'application' ? `/applications/${of.id}/record` : `/offline-services/${of.id}/record`

export const getEvidence = (of: Case, signal?: AbortSignal) =>
  data(api.GET('/api/evidence/{object}/{id}', { params: at(of), signal }))
export const addEvidence = (
  of: Case,
  body: { item: string; fileIds: number[]; note: string; shared: boolean },
  key: string,
) => data(api.POST('/api/evidence/{object}/{id}', { params: at(of), body, ...idempotent(key) }))
export const removePiece = (piece: Piece) =>
  data(api.POST('/api/evidence-pieces/{id}/remove', { params: { path: { id: piece.id } } }))
export const assess = (of: Case, body: Marks, key: string) =>
  data(api.POST('/api/evidence/{object}/{id}/assess', { params: at(of), body, ...idempotent(key) }))
export const listAssessments = (query: { target?: Target; cursor?: string; limit?: number }, signal?: AbortSignal) =>
  data(api.GET('/api/assessments', { params: { query }, signal }))
export const listCards = (_: string, signal?: AbortSignal) =>
  data(api.GET('/api/assessment-cards', { signal })).then((page) => page.items)
export const setCard = (body: SetCard, key: string) =>
  data(api.PUT('/api/assessment-card', { body, ...idempotent(key) }))
export const listLists = (_: string, signal?: AbortSignal) => data(api.GET('/api/evidence-lists', { signal }))
export const setList = (body: SetList, key: string) => data(api.PUT('/api/evidence-list', { body, ...idempotent(key) }))
