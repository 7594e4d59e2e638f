import { api, call } from './client'
import type { components } from './schema'

type Schemas = components['schemas']

export type ArticleKind = 'news' | 'notice' | 'help'
export type ArticleCard = Schemas['ContentCard']
export type Article = Schemas['ContentPage']
export type Block = Schemas['Block']
export type Column = Schemas['ContentColumn']

/** What is published of a kind: set on top first, then the newest. */
export const listArticles = (
  query: { kind: ArticleKind; column?: string; limit?: number },
  cursor?: string,
) => call(api.GET('/api/content/articles', { params: { query: { ...query, cursor } } }))

export const getArticle = (id: number) =>
  call(api.GET('/api/content/articles/{id}', { params: { path: { id } } }))

export const listColumns = () => call(api.GET('/api/content/columns')).then((page) => page.items ?? [])

/** What the desk answers, for everybody: the fittest for the words, or what is used most. */
export const findAnswers = (q: string) =>
  call(api.GET('/api/public/knowledge', { params: { query: { q: q || undefined, limit: 20 } } })).then(
    (page) => page.items ?? [],
  )

export const getAnswer = (id: number) =>
  call(api.GET('/api/public/knowledge/{id}', { params: { path: { id } } }))
