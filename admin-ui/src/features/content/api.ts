import { api, data, idempotent, type Page, type Schemas } from '@/api/client'

export type ArticleKind = 'news' | 'notice' | 'help'
export type ArticleStatus = 'draft' | 'review' | 'published' | 'withdrawn'
export type ArticleAction = 'edit' | 'submit' | 'publish' | 'return' | 'withdraw' | 'revise'
export type Block = Schemas['Block']
export type Column = Schemas['ContentColumn']

export interface ArticleItem extends Omit<Schemas['ContentItem'], 'kind' | 'status'> {
  kind: ArticleKind
  status: ArticleStatus
}

export interface Article extends Omit<Schemas['ContentView'], 'kind' | 'status' | 'actions'> {
  kind: ArticleKind
  status: ArticleStatus
  actions: ArticleAction[]
}

/** What an editor sends; times are RFC 3339. */
export type ArticleText = Omit<Schemas['ContentArticleText'], '$schema'>

export interface ArticleQuery {
  kind?: string
  status?: string
  q?: string
  cursor?: string
  limit?: number
}

/** All articles, newest first. */
export const listArticles = ({ kind, status, q, cursor, limit }: ArticleQuery, signal?: AbortSignal) =>
  data(
    api.GET('/api/articles', {
      params: { query: { kind: kind || undefined, status: status || undefined, q: q || undefined, cursor, limit } },
      signal,
    }),
  ) as Promise<Page<ArticleItem>>

export const getArticle = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/articles/{id}', { params: { path: { id: Number(id) } }, signal })) as Promise<Article>

export const listColumns = () => data(api.GET('/api/content/columns')).then((list) => list.items)

export const createArticle = (body: ArticleText, key: string) =>
  data(api.POST('/api/articles', { body, ...idempotent(key) })) as Promise<Article>

export const editArticle = (article: Pick<Article, 'id' | 'version'>, body: ArticleText, key: string) =>
  data(
    api.PUT('/api/articles/{id}', {
      params: { path: { id: article.id } },
      body: { ...body, version: article.version },
      ...idempotent(key),
    }),
  ) as Promise<Article>

/** The body as the portal divides it. */
export const blocksOf = (body: string, signal?: AbortSignal) =>
  data(api.POST('/api/articles/blocks', { body: { body }, signal })).then((answer) => answer.blocks)

/** Takes a step that needs nothing but the version seen. */
export const stepArticle = (article: Article, step: 'submit' | 'publish' | 'revise', key: string) =>
  data(
    api.POST(`/api/articles/{id}/${step}`, {
      params: { path: { id: article.id } },
      body: { version: article.version },
      ...idempotent(key),
    }),
  ) as Promise<Article>

/** Takes a step that needs its reason. */
export const reasonArticle = (article: Article, step: 'return' | 'withdraw', reason: string, key: string) =>
  data(
    api.POST(`/api/articles/{id}/${step}`, {
      params: { path: { id: article.id } },
      body: { version: article.version, reason },
      ...idempotent(key),
    }),
  ) as Promise<Article>
