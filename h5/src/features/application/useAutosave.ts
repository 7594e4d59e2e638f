import { onBeforeUnmount, onMounted, ref } from 'vue'

import { asApiError, type ApiError } from '@/api/error'

export type SaveState = 'idle' | 'waiting' | 'saving' | 'saved' | 'failed'

/**
 * Saves what is typed: a moment after the last change, one save at a time, the latest state last. A save that failed is
 * tried again at the next change and when the phone is online again.
 */
export function useAutosave<T>(
  save: () => Promise<T>,
  done: (saved: T) => void,
  failed?: (error: ApiError) => void,
) {
  const state = ref<SaveState>('idle')
  const delay = 800
  let timer: ReturnType<typeof setTimeout> | undefined
  let running: Promise<void> | null = null
  let again = false
  let stopped = false

  async function run(): Promise<void> {
    do {
      again = false
      state.value = 'saving'
      try {
        done(await save())
        state.value = again ? 'waiting' : 'saved'
      } catch (thrown) {
        state.value = 'failed'
        failed?.(asApiError(thrown))
      }
    } while (again && !stopped)
  }

  /** Saves now what waits to be saved, and resolves when nothing is under way. */
  async function flush(): Promise<void> {
    if (timer !== undefined) {
      clearTimeout(timer)
      timer = undefined
      if (running) again = true
      else running = run().finally(() => (running = null))
    }
    await running
  }

  function changed(): void {
    if (stopped) return
    if (state.value !== 'saving') state.value = 'waiting'
    clearTimeout(timer)
    timer = setTimeout(() => void flush(), delay)
  }

  /** Drops what waits: the form was sent or discarded. */
  async function stop(): Promise<void> {
    stopped = true
    clearTimeout(timer)
    timer = undefined
    await running
  }

  function resume(): void {
    stopped = false
  }

  const hidden = () => document.visibilityState === 'hidden' && void flush()
  const online = () => state.value === 'failed' && changed()
  onMounted(() => {
    document.addEventListener('visibilitychange', hidden)
    window.addEventListener('online', online)
  })
  onBeforeUnmount(() => {
    document.removeEventListener('visibilitychange', hidden)
    window.removeEventListener('online', online)
    void flush()
  })

  return { state, changed, flush, stop, resume }
}
