import { api, call } from '@/api/client'
import { routes } from '@/router/routes'

/** How many policies fit the company, or may come to. */
export interface MatchSummary {
  eligible: number
  /** Something is still to be confirmed. */
  possible: number
  nearly: number
}

/** Where the matched policies are shown; '' when this version has no such page, and then nothing is asked. */
export const matchPath =
  ['/policies/match', '/policies'].find((path) => routes.some((route) => route.path === path)) ?? ''

export const getMatchSummary = () => {
  const ask = api as unknown as { GET: (path: string) => Promise<{ data?: MatchSummary }> }
  return call(ask.GET('/api/policies/match/summary'))
}
