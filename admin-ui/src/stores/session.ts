import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { setCsrfToken } from '@/api/client'
import { getSession, signOut as endSession, type Session } from '@/api/identity'

const parties: Record<string, string> = { platform: '平台运营', government: '政府部门', institution: '服务机构' }

/** Who is signed in, what they may do, and what the installation is called. */
export const useSession = defineStore('session', () => {
  const current = ref<Session | null>(null)
  let loading: Promise<void> | null = null

  const signedIn = computed(() => current.value?.signedIn === true)
  /** Enterprises have the portal and H5; the back office is for those who serve them. */
  const staff = computed(() => signedIn.value && current.value?.user?.party !== 'enterprise')
  const name = computed(() => current.value?.user?.name ?? '')
  const organisation = computed(() => {
    const s = current.value
    return s?.department?.name ?? s?.institution?.name ?? parties[s?.user?.party ?? ''] ?? ''
  })
  const district = computed(() => current.value?.district ?? '')
  const demo = computed(() => current.value?.demo === true)
  // A right that a colleague delegated opens only what names it: `enterprise.review:deputed`.
  const held = computed(
    () =>
      new Set([...(current.value?.permissions ?? []), ...(current.value?.deputed ?? []).map((p) => `${p}:deputed`)]),
  )

  function set(session: Session): void {
    current.value = session
    setCsrfToken(session.csrfToken)
  }

  /** Asks the server once; callers at the same time share the answer. Rejects with ApiError. */
  function load(): Promise<void> {
    loading ??= getSession()
      .then(set)
      .finally(() => (loading = null))
    return loading
  }

  /** Forgets the session, so that the next page asks again. */
  function clear(): void {
    current.value = null
  }

  async function signOut(): Promise<void> {
    await endSession()
    clear()
  }

  /** Whether the person holds one of the permissions; none asked means yes. */
  function can(...anyOf: string[]): boolean {
    return anyOf.length === 0 || anyOf.some((p) => held.value.has(p))
  }

  return { current, signedIn, staff, name, organisation, district, demo, set, load, clear, signOut, can }
})
