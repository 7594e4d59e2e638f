import { computed, type WritableComputedRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'

/** A choice of a page as part of its address, so that it is there again after a reload. An empty one leaves the address. */
export function useQueryPart(): (name: string, fallback: () => string) => WritableComputedRef<string> {
  const route = useRoute()
  const router = useRouter()
  return (name, fallback) =>
    computed({
      get: () => String(route.query[name] ?? fallback()),
      set: (value) => void router.replace({ query: { ...route.query, [name]: value || undefined } }),
    })
}
