import type { TicketType } from './api'

/**
 * The types that fit what was typed, the best first: the letters or the words at the beginning, then anywhere. Nothing typed
 * finds all.
 */
export function matters(types: TicketType[], typed: string): TicketType[] {
  const word = typed.trim().toLowerCase()
  if (word === '') return types
  const rank = (t: TicketType): number => {
    const initials = t.initials ?? ''
    const name = t.name.toLowerCase()
    if (initials === word || name === word || t.code === word) return 0
    if (initials.startsWith(word) || name.startsWith(word)) return 1
    if (initials.includes(word) || name.includes(word)) return 2
    return -1
  }
  return types
    .map((type, at) => ({ type, at, rank: rank(type) }))
    .filter((x) => x.rank >= 0)
    .sort((a, b) => a.rank - b.rank || a.at - b.at)
    .map((x) => x.type)
}

/** The title of a request that was given none: its first sentence, at most thirty characters. */
export function titleOf(body: string): string {
  const first = body.trim().split(/[。！？!?\n]/)[0] ?? ''
  return [...first.trim()].slice(0, 30).join('')
}
