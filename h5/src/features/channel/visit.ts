import type { LocationQuery, RouteLocationNormalized, RouteLocationRaw } from 'vue-router'

import { arrival, keepArrival } from '@/api/arrival'
import { useSession } from '@/stores/session'

import { tellVisit } from './api'

let opened = ''

/**
 * Tells the server once that a page was opened with a channel's code (?c=CODE), and keeps what it signs. The short link passes
 * on what it signed itself (&v=…), so that the visitor is not counted twice; that word is theirs and leaves the address, lest
 * they share it. Returns where to go instead, undefined to stay.
 */
export function arrive(to: RouteLocationNormalized): RouteLocationRaw | undefined {
  const { c, v } = to.query
  if (typeof c !== 'string') return undefined
  if (typeof v === 'string' && v) keepArrival(v)
  if (opened !== c) {
    opened = c
    void visit(c)
  }
  if (v === undefined) return undefined
  const query: LocationQuery = { ...to.query }
  delete query.v
  return { path: to.path, query, hash: to.hash, replace: true }
}

async function visit(code: string): Promise<void> {
  try {
    await useSession().load() // brings the token that changes must carry
    const { token } = await tellVisit(code, arrival() || undefined)
    if (token) keepArrival(token)
  } catch {
    // nobody is kept from the page because a visit was not counted
  }
}
