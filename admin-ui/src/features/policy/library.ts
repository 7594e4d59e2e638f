import { api, data, idempotent, type Schemas } from '@/api/client'
import { money } from '@/format'

export type Content = Schemas['PolicyContent']
export type EditionItem = Schemas['PolicyEditionItem']
export type Edition = Schemas['PolicyEditionView']
export type EditionState = EditionItem['state']
export type Comparison = Schemas['PolicyComparison']
export type Change = Schemas['PolicyChange']
export type FieldInfo = Schemas['PolicyFieldInfo']
export type Checked = Schemas['PolicyChecked']
export type Proposed = Schemas['PolicyProposed']
export type Quote = Schemas['PolicyQuote']
export type Preview = Schemas['PolicyPreview']
export type Tried = Schemas['PolicyTried']
export type Waiting = Schemas['PolicyWaitingItem']
export type Span = Schemas['PolicySpan']
export type Expected = 'eligible' | 'possible' | 'nearly' | 'not_eligible'

const path = (id: number) => ({ path: { id } })

export const enterPolicy = (key: string) => data(api.POST('/api/policies', idempotent(key)))

export const beginEdition = (id: number, key: string) =>
  data(api.POST('/api/policies/{id}/editions', { params: path(id), ...idempotent(key) }))

export const listEditions = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/policies/{id}/editions', { params: path(Number(id)), signal })).then((page) => page.items)

/** One edition; number 0 is the one being worked on. */
export const getEdition = (id: number, no: number, signal?: AbortSignal) =>
  data(api.GET('/api/policies/{id}/editions/{no}', { params: { path: { id, no } }, signal }))

export const saveDraft = (id: number, version: number, base: number, content: Content, key: string) =>
  data(api.PUT('/api/policies/{id}/draft', { params: path(id), body: { version, base, content }, ...idempotent(key) }))

export type Step = 'submit' | 'recall' | 'discard' | 'return' | 'release'

export const stepDraft = (id: number, step: Step, version: number, note: string, key: string) =>
  data(
    api.POST(`/api/policies/{id}/draft/${step}`, {
      params: path(id),
      body: { version, note: note || undefined },
      ...idempotent(key),
    }),
  )

/** Takes a published policy back, or ends it. */
export const endPolicy = (id: number, how: 'withdraw' | 'expire', version: number, reason: string, key: string) =>
  data(api.POST(`/api/policies/{id}/${how}`, { params: path(id), body: { version, reason }, ...idempotent(key) }))

export const compareEditions = (id: number, from: number, to: number, signal?: AbortSignal) =>
  data(api.GET('/api/policies/{id}/compare', { params: { path: { id }, query: { from, to } }, signal }))

export const listWaiting = (state: 'draft' | 'review', signal?: AbortSignal) =>
  data(api.GET('/api/policy-editions', { params: { query: { state } }, signal })).then((page) => page.items)

export const listFields = (_?: string, signal?: AbortSignal) => data(api.GET('/api/policy-fields', { signal }))

export const checkConditions = (
  body: { title: string; issuer: string; text: string; conditions: unknown },
  signal?: AbortSignal,
) => data(api.POST('/api/policy-conditions/check', { body, signal }))

export const previewConditions = (policyId: number, conditions: unknown, signal?: AbortSignal) =>
  data(api.POST('/api/policy-conditions/preview', { body: { policyId, conditions }, signal }))

export const tryExamples = (id: number, conditions: unknown, signal?: AbortSignal) =>
  data(
    api.POST('/api/policies/{id}/examples/try', {
      params: path(id),
      body: { conditions: conditions ?? undefined },
      signal,
    }),
  ).then((page) => page.items)

export interface ExampleForm {
  id?: number
  version?: number
  name: string
  facts: Record<string, unknown>
  expected: Expected
  note: string
}

export const saveExample = (id: number, form: ExampleForm, key: string) =>
  data(api.POST('/api/policies/{id}/examples', { params: path(id), body: form, ...idempotent(key) })).then(
    (page) => page.items,
  )

export const removeExample = (id: number, example: number, version: number, key: string) =>
  data(
    api.POST('/api/policies/{id}/examples/{example}/remove', {
      params: { path: { id, example } },
      body: { version },
      ...idempotent(key),
    }),
  ).then((page) => page.items)

/** "12.5" of 12.5 万元 kept as fen, "" for none. */
export function wanOf(fen: number): string {
  if (!fen) return ''
  return String(fen / 1_000_000)
}

/** Fen of what was typed in 万元; undefined for what is no amount of at most two decimals of a yuan. */
export function fenOf(typed: string): number | undefined {
  const text = typed.trim().replace(/[,，]/g, '')
  if (text === '') return 0
  const m = /^(\d{1,9})(?:\.(\d{1,6}))?$/.exec(text)
  if (!m) return undefined
  return Number(m[1]) * 1_000_000 + Number((m[2] ?? '').padEnd(6, '0'))
}

export const amountText = (a: Content['benefits'][number]) =>
  a.fen ? `${a.what}：${a.cap ? '最高 ' : ''}${money(a.fen)}` : a.what
