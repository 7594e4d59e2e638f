import type { Article, ArticleKind, ArticleText } from './api'

/** The form's values; times are Beijing time as "2026-11-22 14:05", '' for none. */
export interface ArticleValues {
  kind: ArticleKind
  column: string
  title: string
  summary: string
  body: string
  source: string
  top: boolean
  publishAt: string
  expiresAt: string
  /** Files the article had that stay. */
  kept: number[]
}

export const emptyArticle = (): ArticleValues => ({
  kind: 'news',
  column: '',
  title: '',
  summary: '',
  body: '',
  source: '',
  top: false,
  publishAt: '',
  expiresAt: '',
  kept: [],
})

const eightHours = 8 * 3_600_000

/** An instant as people here write it, whatever zone the computer is set to. */
export function toBeijing(at: string | undefined): string {
  if (!at) return ''
  return new Date(new Date(at).getTime() + eightHours).toISOString().slice(0, 16).replace('T', ' ')
}

/** The instant of a time written in Beijing; undefined for ''. */
export const fromBeijing = (text: string): string | undefined =>
  text ? new Date(`${text.replace(' ', 'T')}:00+08:00`).toISOString() : undefined

export const valuesOf = (a: Article): ArticleValues => ({
  kind: a.kind,
  column: a.column,
  title: a.title,
  summary: a.summary,
  body: a.body,
  source: a.source,
  top: a.top,
  publishAt: toBeijing(a.publishAt),
  expiresAt: toBeijing(a.expiresAt),
  kept: a.files.map((f) => f.id),
})

export const textOf = (v: ArticleValues, uploaded: number[]): ArticleText => ({
  kind: v.kind,
  column: v.kind === 'notice' ? undefined : v.column,
  title: v.title,
  summary: v.summary,
  body: v.body,
  source: v.source,
  top: v.top,
  publishAt: fromBeijing(v.publishAt),
  expiresAt: v.kind === 'help' ? undefined : fromBeijing(v.expiresAt),
  fileIds: [...v.kept, ...uploaded],
})

/** What keeps an article from being saved. */
export function checkArticle(v: ArticleValues): Partial<Record<keyof ArticleValues, string>> {
  const found: Partial<Record<keyof ArticleValues, string>> = {}
  if (v.kind !== 'notice' && !v.column) found.column = '请选择栏目'
  if (!v.title.trim()) found.title = '请填写标题'
  if (!v.body.trim()) found.body = '请填写正文'
  if (!v.source.trim()) found.source = '请填写来源，例如发布单位的名称'
  if (v.kind === 'notice' && !v.expiresAt) found.expiresAt = '请填写有效期，到期后通知自动从门户消失'
  if (v.publishAt && v.expiresAt && v.expiresAt <= v.publishAt) found.expiresAt = '有效期须晚于发布时间'
  return found
}
