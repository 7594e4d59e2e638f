import type { MaybeRefOrGetter } from 'vue'
import { useDetail } from '@/composables/useDetail'
import { getArticle, reasonArticle, stepArticle, type Article } from './api'

/** One article and the steps that may be taken with it. */
export function useArticle(id: MaybeRefOrGetter<string | undefined>) {
  const detail = useDetail<Article>(id, getArticle)

  /** True when the server took the step; the article is then loaded anew. */
  function take(step: 'submit' | 'publish' | 'revise', done: string): Promise<boolean> {
    const article = detail.data
    return article ? detail.run(step, (key) => stepArticle(article, step, key), done) : Promise.resolve(false)
  }

  function takeBack(step: 'return' | 'withdraw', reason: string, done: string): Promise<boolean> {
    const article = detail.data
    if (!article) return Promise.resolve(false)
    return detail.run(step, (key) => reasonArticle(article, step, reason, key), done)
  }

  return { detail, take, takeBack }
}

export type Take = ReturnType<typeof useArticle>['take']
export type TakeBack = ReturnType<typeof useArticle>['takeBack']
