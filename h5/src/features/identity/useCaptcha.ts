import { reactive, ref, shallowRef } from 'vue'

import { asApiError } from '@/api/error'
import { createCaptcha } from '@/api/identity'

/** The picture a person answers before a message is sent or a password is tried. Each one works once. */
export function useCaptcha() {
  const current = shallowRef<Awaited<ReturnType<typeof createCaptcha>> | null>(null)
  const problem = ref('')

  async function refresh(): Promise<void> {
    current.value = null
    problem.value = ''
    try {
      current.value = await createCaptcha()
    } catch (thrown) {
      problem.value = asApiError(thrown).message
    }
  }

  return reactive({ current, problem, refresh })
}
