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
    kept.value = await listHints()
  } catch {
    at = -Infinity
  }
}

/** What a requester reads at a step; nothing until it is known. */
export function useHint(step: () => string) {
  void loadHints()
  return computed(() => kept.value.find((h) => h.step === step()))
}
