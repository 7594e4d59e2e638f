import { computed, shallowRef } from 'vue'
import { listHints, type Hint } from './api'

/** How long the hints are taken to be those in force, in milliseconds. */
const fresh = 5 * 60_000

const kept = shallowRef<Hint[]>([])
let at = -Infinity

/** Fetches the hints unless they are fresh. Without them each step goes on as it is. */
export async function loadHints(now = Date.now()): Promise<void> {
  if (now - at < fresh) return
  at = now
  try {
    kept.value = (await listHints()).items
  } catch {
    at = -Infinity
  }
}

/** Has the next step fetch them anew. */
export function forgetHints(): void {
  at = -Infinity
}

/** What staff read at a step; nothing until it is known. */
export function useHint(step: () => string) {
  void loadHints()
  return computed(() => {
    const hint = kept.value.find((h) => h.for === 'staff' && h.step === step())
    return hint && (hint.text || hint.linkUrl || hint.pictureUrl) ? hint : undefined
  })
}
