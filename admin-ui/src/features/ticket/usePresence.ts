import { onBeforeUnmount, shallowRef, toValue, watch, type MaybeRefOrGetter } from 'vue'
import { attend, type Present } from './desk'

/** How often a page says that it is there; the server forgets it after three times of silence. */
const beat = 15_000

/**
 * Who else has the ticket open, and whether somebody writes an answer at this moment. It says the same of this page while it
 * is mounted and in front.
 */
export function usePresence(
  id: MaybeRefOrGetter<number | undefined>,
  doing: MaybeRefOrGetter<'viewing' | 'answering'>,
) {
  const others = shallowRef<Present[]>([])

  async function say(): Promise<void> {
    const at = toValue(id)
    if (!at || document.visibilityState === 'hidden') return
    try {
      const list = await attend(at, toValue(doing))
      if (toValue(id) === at) others.value = list
    } catch {
      // That nobody is seen is no reason to stop anybody from working.
    }
  }
  function leave(at: number | undefined): void {
    if (at) attend(at, 'gone').catch(() => undefined)
  }

  const timer = setInterval(() => void say(), beat)
  watch(
    () => [toValue(id), toValue(doing)] as const,
    ([at], before) => {
      if (before && before[0] !== at) {
        leave(before[0])
        others.value = []
      }
      void say()
    },
    { immediate: true },
  )
  onBeforeUnmount(() => {
    clearInterval(timer)
    leave(toValue(id))
  })

  return { others, look: say }
}
