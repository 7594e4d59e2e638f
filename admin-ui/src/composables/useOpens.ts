import { useRouter } from 'vue-router'
import { useSession } from '@/stores/session'

/** Tells whether an address of the back office leads to a page that the person may open, so that no link leads to a refusal. */
export function useOpens(): (link: string) => boolean {
  const router = useRouter()
  const session = useSession()
  return (link) => {
    if (!link) return false
    const to = router.resolve(link)
    return to.name !== 'not-found' && session.can(...(to.meta.permissions ?? []))
  }
}
