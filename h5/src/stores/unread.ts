import { defineStore } from 'pinia'
import { computed, ref } from 'vue'

import { countUnread } from '@/api/message'

import { useSession } from './session'

/** How many messages wait to be read; shown on 我的 and on the entry of the list. */
export const useUnread = defineStore('unread', () => {
  const session = useSession()
  const count = ref(0)
  const label = computed(() => (count.value > 99 ? '99+' : count.value > 0 ? String(count.value) : ''))

  /** Asks the server. A failure leaves what is shown: the next look asks again. */
  async function refresh(): Promise<void> {
    if (!session.signedIn) {
      count.value = 0
      return
    }
    try {
      count.value = await countUnread()
    } catch {
      // see above
    }
  }

  return { count, label, refresh }
})
