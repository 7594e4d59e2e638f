import { ref, watch, type Ref } from 'vue'

/** A preference of this browser (columns, page size, folded menu). A value that cannot be read counts as absent. */
export function useStored<T>(name: string, initial: T, valid: (v: unknown) => v is T): Ref<T> {
  const key = `huiqi.admin.${name}`
  const value = ref(initial) as Ref<T>
  try {
    const raw = localStorage.getItem(key)
    const parsed: unknown = raw === null ? undefined : JSON.parse(raw)
    if (valid(parsed)) value.value = parsed
  } catch {
    // storage is closed or holds something else: the default stands
  }
  watch(
    value,
    (v) => {
      try {
        localStorage.setItem(key, JSON.stringify(v))
      } catch {
        // private mode: the choice lasts as long as the page
      }
    },
    { deep: true },
  )
  return value
}
