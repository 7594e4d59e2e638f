import type { WorkbenchCard } from '@/router/feature'

const found = import.meta.glob<WorkbenchCard[]>('../*/workbench.ts', { eager: true, import: 'default' })

/** Every card a feature contributes, in order. */
export const workbenchCards: WorkbenchCard[] = Object.values(found)
  .flat()
  .sort((a, b) => a.order - b.order)

/** A card with the room it gets: half the width, or all of it. */
export type Placed = WorkbenchCard & { wide: boolean }

/** Gives each card its room in two columns, so that no row has a hole: a half card without a neighbour takes the row. */
export function arrange(cards: WorkbenchCard[]): Placed[] {
  const placed: Placed[] = []
  let open: Placed | null = null
  for (const card of cards) {
    const now: Placed = { ...card, wide: (card.span ?? 1) > 1 }
    placed.push(now)
    if (now.wide) {
      if (open) open.wide = true
      open = null
    } else {
      open = open ? null : now
    }
  }
  if (open) open.wide = true
  return placed
}
