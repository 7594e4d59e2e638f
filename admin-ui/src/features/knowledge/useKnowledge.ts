import type { MaybeRefOrGetter } from 'vue'
import { useDetail } from '@/composables/useDetail'
import { confirmKnowledge, getKnowledge, reasonKnowledge, stepKnowledge, type Knowledge } from './api'

/** One entry and the steps that may be taken with it. Each is true when the server took it; the entry is then loaded anew. */
export function useKnowledge(id: MaybeRefOrGetter<string | undefined>) {
  const detail = useDetail<Knowledge>(id, getKnowledge)

  async function on(step: string, done: string, command: (k: Knowledge, key: string) => Promise<unknown>) {
    const entry = detail.data
    return entry ? detail.run(step, (key) => command(entry, key), done) : false
  }

  return {
    detail,
    take: (step: 'submit' | 'publish' | 'revise' | 'discard', done: string) =>
      on(step, done, (k, key) => stepKnowledge(k, step, key)),
    takeBack: (step: 'return' | 'withdraw', reason: string, done: string) =>
      on(step, done, (k, key) => reasonKnowledge(k, step, reason, key)),
    renew: (until: string) => on('confirm', '已复核确认', (k, key) => confirmKnowledge(k, until, key)),
  }
}

export type Steps = Pick<ReturnType<typeof useKnowledge>, 'take' | 'takeBack' | 'renew'>
