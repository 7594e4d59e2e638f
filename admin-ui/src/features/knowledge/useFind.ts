import { onBeforeUnmount, reactive, ref, shallowRef, watch, type MaybeRefOrGetter, toValue } from 'vue'
import { isAborted, toApiError, type ApiError } from '@/api/client'
import { findKnowledge, type Found } from './api'

/**
 * Searches while somebody types: a moment after the last key, and only the newest question's answer counts. Without words
 * it lists what is used most for the type. One character is too few and asks nothing.
 */
export function useFind(query: MaybeRefOrGetter<string>, type: MaybeRefOrGetter<string>, wait = 250) {
  const items = shallowRef<Found[]>([])
  const error = shallowRef<ApiError | null>(null)
  const loading = ref(false)
  const short = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  let abort: AbortController | undefined

  async function ask(): Promise<void> {
    abort?.abort()
    const mine = (abort = new AbortController())
    loading.value = true
    try {
      const found = await findKnowledge(toValue(query), toValue(type), mine.signal)
      if (mine !== abort) return
      items.value = found
      error.value = null
    } catch (e) {
      if (mine !== abort || isAborted(e)) return
      error.value = toApiError(e)
    } finally {
      if (mine === abort) loading.value = false
    }
  }

  watch(
    () => [toValue(query).trim(), toValue(type)] as const,
    ([words], before) => {
      clearTimeout(timer)
      short.value = [...words].length === 1
      if (!short.value) timer = setTimeout(() => void ask(), before === undefined ? 0 : wait)
    },
    { immediate: true },
  )
  onBeforeUnmount(() => {
    clearTimeout(timer)
    abort?.abort()
  })
  return reactive({ items, error, loading, short, ask })
}
