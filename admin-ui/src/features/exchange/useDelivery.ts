import { type MaybeRefOrGetter } from 'vue'
import { useDetail } from '@/composables/useDetail'
import { decide, getDelivery, type Delivery } from './api'

/** One delivery, and what a person may decide about it. */
export function useDelivery(id: MaybeRefOrGetter<string | undefined>) {
  const detail = useDetail<Delivery>(id, getDelivery)

  function take(action: 'replay' | 'skip', reason: string): Promise<boolean> {
    const delivery = detail.data
    if (!delivery) return Promise.resolve(false)
    const done = action === 'replay' ? '已安排重新推送' : '已跳过'
    // The reason is part of the command: another one is another command, with a key of its own.
    return detail.run(`${action} ${reason}`, (key) => decide(delivery.id, action, reason, key), done)
  }

  return { detail, take }
}
