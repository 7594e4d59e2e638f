import { api, data, idempotent, type Schemas } from '@/api/client'

export type KnowledgeItem = Schemas['KnowledgeItem']
export type KnowledgeStatus = KnowledgeItem['status']
export type Audience = KnowledgeItem['audience']
export type SourceKind = Schemas['KnowledgeSource']['kind']
export type Edition = Schemas['KnowledgeEditionView']
export type EditionState = Edition['state']
export type Report = Schemas['KnowledgeReport']
export type Found = Schemas['KnowledgeFound']
export type Change = Schemas['KnowledgeChange']
export type Options = Schemas['KnowledgeOptions']
export type Todo = Schemas['KnowledgeTodo']
export type KnowledgeText = Omit<Schemas['KnowledgeCreateInputBody'], '$schema'>
export type KnowledgeAction = 'edit' | 'submit' | 'publish' | 'return' | 'revise' | 'discard' | 'confirm' | 'withdraw'

export interface Knowledge extends Omit<Schemas['KnowledgeView'], 'actions'> {
  actions: KnowledgeAction[]
}

export interface KnowledgeQuery {
  q?: string
  state?: string
  category?: string
  audience?: string
  mine?: string
  cursor?: string
  limit?: number
}

/** The entries the person may see, newest first. */
export const listKnowledge = (f: KnowledgeQuery, signal?: AbortSignal) =>
  data(
    api.GET('/api/knowledge', {
      params: {
        query: {
          q: f.q || undefined,
          state: f.state || undefined,
          category: f.category || undefined,
          audience: f.audience || undefined,
          mine: f.mine ? true : undefined,
          cursor: f.cursor,
          limit: f.limit,
        },
      },
      signal,
    }),
  )

/** Answers in force that the words name; those of the ticket's type come first. */
export const findKnowledge = (q: string, type: string, signal?: AbortSignal) =>
  data(
    api.GET('/api/knowledge-search', {
      params: { query: { q: q.trim() || undefined, type: type || undefined, limit: 8 } },
      signal,
    }),
  ).then((page) => page.items)

export const getKnowledge = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/knowledge/{id}', { params: { path: { id: Number(id) } }, signal })) as Promise<Knowledge>

export const knowledgeOptions = (_?: string, signal?: AbortSignal) =>
  data(api.GET('/api/knowledge-options', { signal }))

export type KnowledgeOptions = Awaited<ReturnType<typeof knowledgeOptions>>

export const listTodo = (_?: string, signal?: AbortSignal) =>
  data(api.GET('/api/knowledge-todo', { signal })).then((page) => page.items)

export const blocksOf = (body: string, signal?: AbortSignal) =>
  data(api.POST('/api/knowledge-blocks', { body: { body }, signal })).then((answer) => answer.blocks)

export const createKnowledge = (body: KnowledgeText, key: string) =>
  data(api.POST('/api/knowledge', { body, ...idempotent(key) })) as Promise<Knowledge>

export const editKnowledge = (
  entry: Pick<Knowledge, 'id' | 'version'>,
  body: Omit<Schemas['KnowledgeEditInputBody'], '$schema' | 'version'>,
  key: string,
) =>
  data(
    api.PUT('/api/knowledge/{id}', {
      params: { path: { id: entry.id } },
      body: { ...body, version: entry.version },
      ...idempotent(key),
    }),
  ) as Promise<Knowledge>

type Seen = Pick<Knowledge, 'id' | 'version'>

/** Takes a step that needs nothing but the version seen. */
export const stepKnowledge = (entry: Seen, step: 'submit' | 'publish' | 'revise' | 'discard', key: string) =>
  data(
    api.POST(`/api/knowledge/{id}/${step}`, {
      params: { path: { id: entry.id } },
      body: { version: entry.version },
      ...idempotent(key),
    }),
  ) as Promise<Knowledge>

/** Takes a step that needs its reason. */
export const reasonKnowledge = (entry: Seen, step: 'return' | 'withdraw', reason: string, key: string) =>
  data(
    api.POST(`/api/knowledge/{id}/${step}`, {
      params: { path: { id: entry.id } },
      body: { version: entry.version, reason },
      ...idempotent(key),
    }),
  ) as Promise<Knowledge>

/** Says that what is in force is right until a day, '' without end. */
export const confirmKnowledge = (entry: Seen, validUntil: string, key: string) =>
  data(
    api.POST('/api/knowledge/{id}/confirm', {
      params: { path: { id: entry.id } },
      body: { version: entry.version, validUntil: validUntil || undefined },
      ...idempotent(key),
    }),
  ) as Promise<Knowledge>

export const diffKnowledge = (id: number, from: number, to: number, signal?: AbortSignal) =>
  data(api.GET('/api/knowledge/{id}/diff', { params: { path: { id }, query: { from, to } }, signal })).then(
    (answer) => answer.changes,
  )

/** Counts that the answer was put into a ticket. */
export const noteUse = (id: number, ticketId: number) =>
  data(api.POST('/api/knowledge/{id}/uses', { params: { path: { id } }, body: { ticketId } }))

export const judgeKnowledge = (id: number, body: { wrong?: boolean; reason?: string; ticketId?: number }) =>
  data(api.POST('/api/knowledge/{id}/feedback', { params: { path: { id } }, body }))

export const settleReport = (id: number, outcome: 'corrected' | 'kept', note: string) =>
  data(api.POST('/api/knowledge-feedback/{id}/settle', { params: { path: { id } }, body: { outcome, note } }))
