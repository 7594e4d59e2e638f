import type { MaybeRefOrGetter } from 'vue'
import { useDetail } from '@/composables/useDetail'
import { act, getApplication, undo, type ActionBody, type Application } from './api'

/** One application and the steps that may be taken with it. */
export function useApplication(id: MaybeRefOrGetter<string | undefined>) {
  const detail = useDetail<Application>(id, getApplication, 'application')

  /** True when the server took the step; the application is then loaded anew. */
  function take<A extends keyof ActionBody>(action: A, body: ActionBody[A], done: string): Promise<boolean> {
    const seen = detail.data
    if (!seen) return Promise.resolve(false)
    return detail.run(action, (key) => act(seen, action, body, key), done)
  }

  function takeBack(reason: string): Promise<boolean> {
    const seen = detail.data
    if (!seen) return Promise.resolve(false)
    return detail.run('undo', (key) => undo(seen, reason, key), '已撤销，企业和机构都会收到通知')
  }

  return { detail, take, takeBack }
}

export type Take = ReturnType<typeof useApplication>['take']
