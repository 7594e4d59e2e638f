import { useRouter, type RouteLocationRaw } from 'vue-router'

/** Where a person supplies what is missing of their company; null while this build has no such page. */
export function useCompanyPage(): RouteLocationRaw | null {
  return useRouter().hasRoute('company') ? { name: 'company' } : null
}
