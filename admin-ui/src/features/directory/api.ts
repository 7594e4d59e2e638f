import { api, data, idempotent, type Schemas } from '@/api/client'

export type Line = Schemas['DirectoryLineView']
export type Version = Schemas['DirectoryVersionView']
export type Problem = Schemas['DirectoryProblem']
export type Board = Schemas['DirectoryBoard']
export type Suggestion = Schemas['DirectorySuggestion']
export type Accuracy = Schemas['DirectoryAccuracy']
export type NewVersion = Omit<Schemas['DirectorySetInputBody'], '$schema'>

export const getBoard = (_?: string, signal?: AbortSignal) => data(api.GET('/api/directory', { signal }))

export const setVersion = (body: NewVersion, key: string) =>
  data(api.POST('/api/directory', { body, ...idempotent(key) }))

export const endLine = (line: Pick<Line, 'id' | 'version'>, validTo: string, reason: string) =>
  data(
    api.POST('/api/directory/{id}/end', {
      params: { path: { id: line.id } },
      body: { version: line.version, validTo: validTo || undefined, reason },
    }),
  )

export const takeBack = (line: Pick<Line, 'id' | 'version'>) =>
  data(
    api.POST('/api/directory/{id}/take-back', {
      params: { path: { id: line.id } },
      body: { version: line.version },
    }),
  )

export const suggest = (type: string, area: string, text: string, signal?: AbortSignal) =>
  data(
    api.GET('/api/dispatch-suggestions', {
      params: { query: { type, area: area || undefined, text: text.slice(0, 500) || undefined } },
      signal,
    }),
  )

/** Which entry was valid at a moment, RFC 3339. */
export const explain = (type: string, area: string, at: string) =>
  data(api.GET('/api/dispatch-explanations', { params: { query: { type, area: area || undefined, at } } }))

export const getAccuracy = (from: string, to: string, signal?: AbortSignal) =>
  data(api.GET('/api/directory-accuracy', { params: { query: { from, to } }, signal })).then((page) => page.items)
