import type { LocationQueryValue } from 'vue-router'

/** The page to come back to after signing in: one of ours, never another site. */
export function returnPath(query: LocationQueryValue | LocationQueryValue[] | undefined): string {
  const path = Array.isArray(query) ? query[0] : query
  return path && /^\/(?![/\\])/.test(path) && !/^\/(login|register)\b/.test(path) ? path : '/'
}
