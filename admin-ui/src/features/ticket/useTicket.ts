import type { MaybeRefOrGetter } from 'vue'
import { useDetail } from '@/composables/useDetail'
import { act, getTicket, type ActionBody, type Ticket } from './api'

/** One ticket and the steps that may be taken with it. */
export function useTicket(id: MaybeRefOrGetter<string | undefined>) {
  const detail = useDetail<Ticket>(id, getTicket, 'ticket')

  /** True when the server took the step; the ticket is then loaded anew. */
  function take<A extends keyof ActionBody>(action: A, body: ActionBody[A], done: string): Promise<boolean> {
    const ticket = detail.data
    if (!ticket) return Promise.resolve(false)
    return detail.run(action, (key) => act(ticket, action, body, key), done)
  }

  return { detail, take }
}

export type Take = ReturnType<typeof useTicket>['take']
