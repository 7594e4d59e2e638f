import { useRoute, useRouter } from 'vue-router'

import type { Session } from '@/api/session'
import { say } from '@/composables/feedback'
import { returnPath } from '@/router/return'
import { useSession } from '@/stores/session'

/** What follows every successful sign-in: the session is ours, and the person is back where they wanted to be. */
export function useEnter() {
  const route = useRoute()
  const router = useRouter()
  const session = useSession()

  return async (entered: Session): Promise<void> => {
    session.accept(entered)
    await router.replace(returnPath(route.query.return))
    if (entered.notice) say(entered.notice)
  }
}
