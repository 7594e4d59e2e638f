import { api, data, idempotent, type Schemas } from '@/api/client'

export type Golden = Schemas['EnterpriseGolden']
export type GoldenField = Schemas['EnterpriseGoldenField']
export type GoldenWord = Schemas['EnterpriseGoldenWord']
export type SourceView = Schemas['EnterpriseSourceView']
export type Worth = Schemas['EnterpriseWorth']
export type Portrait = Schemas['EnterprisePortrait']
export type SizeView = Schemas['EnterpriseSizeView']
export type QualityRules = Schemas['EnterpriseQualityRules']
export type QualityRule = Schemas['EnterpriseQualityRule']
export type QualityScore = Schemas['EnterpriseQualityScore']
export type SourceScore = Schemas['EnterpriseSourceScore']
export type SizeEdition = Schemas['EnterpriseSizeEdition']

const at = (id: number, key: string) => ({ params: { path: { id } }, ...idempotent(key) })

export const getGolden = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/enterprises/{id}/golden', { params: { path: { id: Number(id) } }, signal }))

export const settle = (id: number, field: GoldenField, factId: number, reason: string, key: string) =>
  data(
    api.POST('/api/enterprises/{id}/settlements', {
      ...at(id, key),
      body: { field: field.field, factId, last: field.last, reason },
    }),
  )

export const unsettle = (id: number, field: GoldenField, reason: string, key: string) =>
  data(
    api.POST('/api/enterprises/{id}/settlements/undo', {
      ...at(id, key),
      body: { field: field.field, last: field.last, reason },
    }),
  )

/** A company as its facts show it, as far as it agreed, or as the basis covers that the reader claims. */
export const getPortrait = (id: string, signal?: AbortSignal, basis?: string) =>
  data(
    api.GET('/api/enterprises/{id}/portrait', {
      params: { path: { id: Number(id) }, query: { basis: basis || undefined } },
      signal,
    }),
  )

export const listSources = (_: string, signal?: AbortSignal) =>
  data(api.GET('/api/enterprise-sources', { signal })).then((p): SourceView[] => p.items ?? [])

export const saveSource = (s: SourceView, key: string) =>
  data(
    api.PUT('/api/enterprise-sources/{code}', {
      params: { path: { code: s.code } },
      ...idempotent(key),
      body: { name: s.name, official: s.official, worths: s.worths, version: s.version },
    }),
  )

export const listEditions = (_: string, signal?: AbortSignal) =>
  data(api.GET('/api/size-editions', { signal })).then((p): SizeEdition[] => p.items ?? [])

export type SizeDraft = Schemas['EnterpriseSizeDraft']
export type SizeRow = Schemas['EnterpriseSizeRowBody']
export type SizePreview = Schemas['EnterpriseSizePreview']
export type SizeKind = 'size' | 'scale'

const ofKind = (kind: SizeKind, key: string) => ({ params: { path: { kind } }, ...idempotent(key) })

export const listSizeDrafts = () => data(api.GET('/api/size-drafts')).then((p): SizeDraft[] => p.items ?? [])

/** Enters an edition of thresholds (version 0 begins one), for a second person to publish. */
export const saveSizeDraft = (
  kind: SizeKind,
  body: { document: string; from: string; rows: SizeRow[]; version: number },
  key: string,
) => data(api.PUT('/api/size-drafts/{kind}', { ...ofKind(kind, key), body }))

export const discardSizeDraft = (kind: SizeKind, version: number, key: string) =>
  data(api.POST('/api/size-drafts/{kind}/discard', { ...ofKind(kind, key), body: { version } }))

export const publishSizeDraft = (kind: SizeKind, version: number, key: string) =>
  data(api.POST('/api/size-drafts/{kind}/publish', { ...ofKind(kind, key), body: { version } }))

export const previewSizes = (kind: SizeKind, cursor: string | undefined) =>
  data(api.GET('/api/size-drafts/{kind}/preview', { params: { path: { kind }, query: { cursor } } }))

export const getRules = (_: string, signal?: AbortSignal) => data(api.GET('/api/quality-rules', { signal }))

export const saveRules = (version: number, rules: QualityRule[], note: string, key: string) =>
  data(api.PUT('/api/quality-rules', { ...idempotent(key), body: { version, rules, note } }))

export const listSourceScores = (_: string, signal?: AbortSignal) =>
  data(api.GET('/api/quality-sources', { signal })).then((p): SourceScore[] => p.items ?? [])

export const listScores = (
  query: { source?: string | undefined; cursor?: string | undefined; limit: number },
  signal?: AbortSignal,
) =>
  data(
    api.GET('/api/quality-scores', {
      params: {
        query: {
          limit: query.limit,
          ...(query.source ? { source: query.source } : {}),
          ...(query.cursor ? { cursor: query.cursor } : {}),
        },
      },
      signal,
    }),
  ).then((p) => ({ items: p.items ?? [], nextCursor: p.nextCursor }))

export const getScore = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/quality-scores/{id}', { params: { path: { id: Number(id) } }, signal }))

/** Points are kept times ten; below zero nothing was measured. */
export const pointsText = (p: number): string => (p < 0 ? '—' : `${Math.floor(p / 10)}.${p % 10}`)
