import { computed, reactive, ref, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'

import { usePagedList } from '@/composables/usePagedList'

import { listPolicies, policyFilters, type PolicyFilters, type PolicyQuery } from './api'

const names = ['q', 'window', 'kind', 'level', 'topic', 'region', 'industry', 'issuer'] as const

/**
 * The library as the address narrows it, so that a shared link and the way back show the same: its policies, what it can be
 * narrowed by, and how many are left.
 */
export function usePolicyQuery() {
  const route = useRoute()
  const router = useRouter()
  const query = reactive(Object.fromEntries(names.map((name) => [name, ''])) as unknown as PolicyQuery)
  const filters = ref<PolicyFilters | null>(null)
  let round = 0

  function read(): void {
    for (const name of names) {
      const value = route.query[name]
      query[name] = typeof value === 'string' ? value.slice(0, 100) : ''
    }
  }

  /** Without the count the list still says what there is. */
  async function count(): Promise<void> {
    const mine = ++round
    const found = await policyFilters({ ...query }).catch(() => null)
    if (mine === round) filters.value = found ?? (filters.value && { ...filters.value, count: -1 })
  }

  read()
  const list = usePagedList((cursor) => listPolicies({ ...query }, cursor))
  void count()

  const chosen = computed(() => names.filter((name) => query[name] !== ''))

  function choose(change: Partial<PolicyQuery>): void {
    const next = Object.entries({ ...query, ...change }).filter(([, value]) => value !== '')
    void router.replace({ query: Object.fromEntries(next) })
  }
  const clear = () => void router.replace({ query: {} })

  watch(
    () => route.query,
    () => {
      if (route.name !== 'policies') return // kept while a policy is read
      const before = JSON.stringify(query)
      read()
      if (JSON.stringify(query) === before) return
      void list.reload()
      void count()
    },
  )

  return { query, list, filters, chosen, choose, clear }
}
