import { computed, reactive, ref, shallowRef } from 'vue'

import { asApiError, type ApiError } from '@/api/error'
import type { ViewState } from '@/components/StateView/types'

import { useLive, type Shown } from './useLive'

export function stateOf(error: ApiError): ViewState {
  if (error.kind === 'not_found') return 'notfound'
  return error.kind === 'forbidden' ? 'forbidden' : 'error'
}

/**
 * One object of a page. Loads at once; an answer that a newer reload has overtaken is dropped. With `live` it is fetched
 * anew when what is named there has changed.
 */
export function useLoad<T>(loader: () => Promise<T>, live?: Shown) {
  const data = shallowRef<T | null>(null)
  const error = shallowRef<ApiError | null>(null)
  const loading = ref(true)
  let round = 0

  const state = computed<ViewState>(() => {
    if (error.value) return stateOf(error.value)
    return data.value === null ? 'loading' : 'ready'
  })

  async function reload(): Promise<void> {
    const mine = ++round
    loading.value = true
    error.value = null
    try {
      const loaded = await loader()
      if (mine === round) data.value = loaded
    } catch (thrown) {
      if (mine === round) error.value = asApiError(thrown)
    } finally {
      if (mine === round) loading.value = false
    }
  }

  /** Fetches what nobody asked for: what is shown stays until there is something newer. */
  async function refresh(): Promise<void> {
    if (loading.value || data.value === null) return
    const mine = ++round
    try {
      const loaded = await loader()
      if (mine === round) data.value = loaded
    } catch {
      // the next change, or the person, asks again
    }
  }

  void reload()
  if (live) useLive(live, () => void refresh())
  return reactive({ data, error, loading, state, reload })
}
