import { onBeforeUnmount, ref, shallowRef, watch } from 'vue'
import { isAborted } from '@/api/client'
import type { Block } from '@/components/types'

/**
 * The blocks of a text that is being typed, a moment after the last key. The server divides it, as it will for readers:
 * blocksOf asks it.
 */
export function usePreview(
  body: () => string,
  blocksOf: (body: string, signal: AbortSignal) => Promise<Block[]>,
  wait = 400,
) {
  const blocks = shallowRef<Block[]>([])
  const failed = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  let abort: AbortController | undefined

  async function ask(): Promise<void> {
    abort?.abort()
    const mine = (abort = new AbortController())
    try {
      const made = await blocksOf(body(), mine.signal)
      if (mine !== abort) return
      blocks.value = made
      failed.value = false
    } catch (e) {
      if (mine === abort && !isAborted(e)) failed.value = true
    }
  }

  watch(
    body,
    (_, before) => {
      clearTimeout(timer)
      timer = setTimeout(() => void ask(), before === undefined ? 0 : wait)
    },
    { immediate: true },
  )
  onBeforeUnmount(() => {
    clearTimeout(timer)
    abort?.abort()
  })
  return { blocks, failed }
}
