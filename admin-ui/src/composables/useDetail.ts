import { ElMessage } from 'element-plus'
import { computed, onBeforeUnmount, reactive, ref, shallowRef, watch, type MaybeRefOrGetter, toValue } from 'vue'
import { isAborted, newKey, toApiError, type ApiError } from '@/api/client'
import type { ViewState } from '@/components/types'
import { confirm } from './useConfirm'
import { useLive } from './useLive'

/**
 * One object by its id: loading, error, not found and no permission; commands on it, with a question to refresh when
 * somebody else changed it meanwhile. An empty id means nothing is open. With the server's name of the kind of object in
 * `live` it is fetched anew when it has changed.
 */
export function useDetail<T>(
  id: MaybeRefOrGetter<string | number | undefined>,
  load: (id: string, signal: AbortSignal) => Promise<T>,
  live?: string,
) {
  const data = shallowRef<T | null>(null)
  const error = shallowRef<ApiError | null>(null)
  const loading = ref(false)
  const busy = ref(false)
  const keys = new Map<string, string>()
  let abort: AbortController | undefined

  async function reload(quiet = false): Promise<void> {
    abort?.abort()
    const wanted = String(toValue(id) ?? '')
    if (wanted === '') {
      data.value = null
      error.value = null
      return
    }
    const mine = (abort = new AbortController())
    loading.value = !quiet
    try {
      const result = await load(wanted, mine.signal)
      if (mine !== abort) return
      data.value = result
      error.value = null
    } catch (e) {
      if (mine !== abort || isAborted(e) || quiet) return
      error.value = toApiError(e)
    } finally {
      if (mine === abort) loading.value = false
    }
  }

  const state = computed<ViewState>(() => {
    if (error.value?.status === 404) return 'notfound'
    if (error.value?.status === 403) return 'forbidden'
    if (error.value) return 'error'
    return data.value === null ? 'loading' : 'ready'
  })

  /**
   * Runs a command and loads the object anew; true when the server took it. `name` keeps one idempotency key per command
   * until it succeeds. Clicking twice runs it once.
   */
  async function run(name: string, command: (key: string) => Promise<unknown>, done?: string): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    const key = keys.get(name) ?? newKey()
    keys.set(name, key)
    try {
      await command(key)
      keys.delete(name)
      if (done) ElMessage.success(done)
    } catch (e) {
      await complain(toApiError(e))
      return false
    } finally {
      busy.value = false
    }
    await reload()
    return true
  }

  async function complain(fault: ApiError): Promise<void> {
    if (fault.status === 409) {
      const refresh = await confirm({ title: '提示刷新', message: fault.message, confirmText: '查看最新内容' })
      if (refresh) await reload()
      return
    }
    ElMessage.error(fault.message)
  }

  watch(
    () => String(toValue(id) ?? ''),
    () => {
      data.value = null
      error.value = null
      keys.clear()
      void reload()
    },
    { immediate: true },
  )
  if (live) {
    useLive({ object: live, id }, () => {
      if (data.value !== null && !loading.value && !busy.value) void reload(true)
    })
  }
  onBeforeUnmount(() => abort?.abort())

  return reactive({ data, state, error, loading, busy, reload: () => reload(), run })
}
