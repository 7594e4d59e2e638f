import { reactive, ref, shallowRef, watch } from 'vue'

/**
 * One block of a page that is asked for once it is wanted and that the page can do without: while it fails it is not
 * shown, and `failed` lets the page say so. What was shown stays until something newer arrives.
 */
export function useBlock<T>(wanted: () => boolean, load: () => Promise<T>) {
  const data = shallowRef<T | null>(null)
  const loading = ref(false)
  const failed = ref(false)
  let round = 0

  async function reload(): Promise<void> {
    const mine = ++round
    if (!wanted()) {
      data.value = null
      failed.value = false
      return
    }
    loading.value = true
    try {
      const loaded = await load()
      if (mine !== round) return
      data.value = loaded
      failed.value = false
    } catch {
      if (mine === round) failed.value = true
    } finally {
      if (mine === round) loading.value = false
    }
  }

  watch(wanted, () => void reload(), { immediate: true })
  return reactive({ data, loading, failed, reload })
}
