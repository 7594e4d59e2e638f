import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { countUnread } from '@/api/message'
import { useSession } from './session'

/** How many messages wait to be read; shown on the bell. */
export const useUnread = defineStore('unread', () => {
  const session = useSession()
  const count = ref(0)
  const label = computed(() => (count.value > 99 ? '99+' : count.value > 0 ? String(count.value) : ''))

  /** Asks the server. A failure leaves what is shown: the next look asks again. */
  async function refresh(): Promise<void> {
    if (!session.staff) {
      count.value = 0
      return
    }
    count.value = await countUnread().catch(() => count.value)
  }

  return { count, label, refresh }
})
