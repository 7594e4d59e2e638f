import { api, data, idempotent, type Schemas } from '@/api/client'

export type Tag = Schemas['EnterpriseTagView']
export type TagDraft = Schemas['EnterpriseTagDraft']
export type TagPreview = Schemas['EnterpriseTagPreview']
export type TagHeld = Schemas['EnterpriseTagHeld']
export type CompanyTags = Schemas['EnterpriseCompanyTags']

/** A definition as it is entered. */
export interface TagInput {
  code: string
  name: string
  about: string
  kind: string
  open: boolean
  retired: boolean
  condition: unknown
  version: number
}

export const tagKinds: Record<string, string> = { rule: '按规则产生', hand: '人工标注' }

export const newTag = (): TagInput => ({
  code: '',
  name: '',
  about: '',
  kind: 'rule',
  open: true,
  retired: false,
  condition: null,
  version: 0,
})

/** What is entered goes on from a draft, or from what is in force. */
export const inputOf = (t: Tag | TagDraft): TagInput => ({
  code: t.code,
  name: t.name,
  about: t.about,
  kind: t.kind,
  open: t.open,
  retired: t.retired,
  condition: t.condition ?? null,
  version: 'version' in t ? t.version : 0,
})

const ofCode = (code: string, key: string) => ({ params: { path: { code } }, ...idempotent(key) })

export const listTags = (_?: string, signal?: AbortSignal) =>
  data(api.GET('/api/enterprise-tags', { signal })).then((p): Tag[] => p.items ?? [])

export const listTagDrafts = (_?: string, signal?: AbortSignal) =>
  data(api.GET('/api/enterprise-tag-drafts', { signal })).then((p): TagDraft[] => p.items ?? [])

export const saveTagDraft = ({ code, condition, ...body }: TagInput, key: string) =>
  data(
    api.PUT('/api/enterprise-tag-drafts/{code}', {
      ...ofCode(code, key),
      body: { ...body, kind: body.kind as 'rule' | 'hand', ...(condition ? { condition } : {}) },
    }),
  )

export const discardTagDraft = (code: string, version: number, key: string) =>
  data(api.POST('/api/enterprise-tag-drafts/{code}/discard', { ...ofCode(code, key), body: { version } }))

export const publishTagDraft = (code: string, version: number, key: string) =>
  data(api.POST('/api/enterprise-tag-drafts/{code}/publish', { ...ofCode(code, key), body: { version } }))

export const previewTag = (code: string, cursor?: string) =>
  data(api.GET('/api/enterprise-tag-drafts/{code}/preview', { params: { path: { code }, query: { cursor } } }))

/** Adds a part of a preview to what was seen before. */
export function addTagPreview(sum: TagPreview | null, part: TagPreview): TagPreview {
  if (!sum) return part
  return {
    seen: sum.seen + part.seen,
    fit: sum.fit + part.fit,
    gained: sum.gained + part.gained,
    lost: sum.lost + part.lost,
    examples: [...(sum.examples ?? []), ...(part.examples ?? [])].slice(0, 20),
    ...(part.next ? { next: part.next } : {}),
  }
}

/** The tags of one company, as far as it agreed, or as the basis covers that the reader claims. */
export const getCompanyTags = (id: string, signal?: AbortSignal, basis?: string) =>
  data(
    api.GET('/api/enterprises/{id}/tags', {
      params: { path: { id: Number(id) }, query: { basis: basis || undefined } },
      signal,
    }),
  )

export const giveTag = (id: number, code: string, reason: string, key: string) =>
  data(api.POST('/api/enterprises/{id}/tags', { params: { path: { id } }, ...idempotent(key), body: { code, reason } }))

export const takeTag = (id: number, code: string, reason: string, key: string) =>
  data(
    api.POST('/api/enterprises/{id}/tags/{code}/end', {
      params: { path: { id, code } },
      ...idempotent(key),
      body: { reason },
    }),
  )
