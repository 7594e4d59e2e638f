import { computed, reactive, ref, shallowRef } from 'vue'

import { asApiError, type ApiError } from '@/api/error'
import type { ViewState } from '@/components/StateView/types'

import { stateOf } from './useLoad'

export interface Page<T> {
  items: T[] | null
  nextCursor?: string | null
  /** A sentence for the reader on how the list was found. */
  note?: string | null
}

/**
 * A list read page by page with the server's cursor. The first page decides the state of the whole view; a later page
 * that fails leaves what is shown and offers to try again (`moreFailed`), as van-list expects.
 */
export function usePagedList<T>(fetchPage: (cursor: string | undefined) => Promise<Page<T>>) {
  const items = shallowRef<T[]>([])
  const error = shallowRef<ApiError | null>(null)
  const loaded = ref(false)
  const refreshing = ref(false)
  const loadingMore = ref(false)
  const moreFailed = ref(false)
  const finished = ref(false)
  const note = ref('')
  let cursor: string | undefined
  let round = 0

  const state = computed<ViewState>(() => {
    if (error.value) return stateOf(error.value)
    if (!loaded.value) return 'loading'
    return items.value.length === 0 && finished.value ? 'empty' : 'ready'
  })

  function take(page: Page<T>, before: T[]): void {
    items.value = [...before, ...(page.items ?? [])]
    cursor = page.nextCursor || undefined
    note.value = page.note ?? ''
    finished.value = cursor === undefined
  }

  /** Starts again from the first page, e.g. after a filter changed; answers to older questions are dropped. */
  async function reload(): Promise<void> {
    const mine = ++round
    refreshing.value = true
    loadingMore.value = false
    moreFailed.value = false
    error.value = null
    try {
      const page = await fetchPage(undefined)
      if (mine !== round) return
      take(page, [])
      loaded.value = true
    } catch (thrown) {
      if (mine === round) error.value = asApiError(thrown)
    } finally {
      if (mine === round) refreshing.value = false
    }
  }

  async function more(): Promise<void> {
    if (finished.value || loadingMore.value || refreshing.value) return
    const mine = round
    loadingMore.value = true
    moreFailed.value = false
    try {
      const page = await fetchPage(cursor)
      if (mine === round) take(page, items.value)
    } catch {
      if (mine === round) moreFailed.value = true
    } finally {
      if (mine === round) loadingMore.value = false
    }
  }

  void reload()
  return reactive({ items, note, error, state, refreshing, loadingMore, moreFailed, finished, reload, more })
}
