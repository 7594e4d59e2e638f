import { useRouter, type RouteLocationRaw } from 'vue-router'

/** Where a person supplies what is missing of their company; null while this build has no such page. */
export function useCompanyPage(): RouteLocationRaw | null {
  const router = useRouter()
  const name = ['company-facts', 'company'].find((known) => router.hasRoute(known))
  return name ? { name } : null
}
