import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'

import { setCsrfToken } from '@/api/client'
import { asApiError, type ApiError } from '@/api/error'
import { deleteSession, getSession, type Session } from '@/api/session'
import { clearDrafts } from '@/composables/drafts'

/** The session as the server told it, asked once and again after every change of who is signed in. */
export const useSession = defineStore('session', () => {
  const current = shallowRef<Session | null>(null)
  const problem = shallowRef<ApiError | null>(null)
  let asking: Promise<void> | null = null

  const ready = computed(() => current.value !== null)
  const signedIn = computed(() => current.value?.signedIn ?? false)
  const user = computed(() => current.value?.user ?? null)
  const enterprise = computed(() => current.value?.enterprise ?? null)
  const district = computed(() => current.value?.district ?? '')
  const wechat = computed(() => current.value?.wechat ?? false)
  const demo = computed(() => current.value?.demo ?? false)

  function accept(session: Session): void {
    current.value = session
    problem.value = null
    setCsrfToken(session.csrfToken)
  }

  async function ask(): Promise<void> {
    try {
      accept(await getSession())
    } catch (thrown) {
      problem.value = asApiError(thrown)
    } finally {
      asking = null
    }
  }

  /** Asks unless known already. Never rejects: `ready` and `problem` say how it went. */
  function load(): Promise<void> {
    if (current.value) return Promise.resolve()
    asking ??= ask()
    return asking
  }

  /** Forgets who was signed in; the next load asks again. */
  function reset(): void {
    current.value = null
    setCsrfToken('')
  }

  async function signOut(): Promise<void> {
    await deleteSession()
    clearDrafts()
    reset()
    await load()
  }

  function can(permission: string): boolean {
    return current.value?.permissions?.includes(permission) ?? false
  }

  return {
    current,
    problem,
    ready,
    signedIn,
    user,
    enterprise,
    district,
    demo,
    wechat,
    accept,
    load,
    reset,
    signOut,
    can,
  }
})
