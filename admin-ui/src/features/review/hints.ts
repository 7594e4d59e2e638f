import { computed, shallowRef } from 'vue'
import { api, data, idempotent, type Schemas } from '@/api/client'
import type { HintBody } from '../hint/api'

export type ReviewHint = Schemas['ReviewHint']
export type ReviewHintStep = Schemas['ReviewHintStep']

export const listReviewHints = () => data(api.GET('/api/review-hints'))

/** Sets what is read at a step of a review; nothing at all takes the hint away. */
export const saveReviewHint = (review: string, step: ReviewHintStep, version: number, body: HintBody, key: string) =>
  data(
    api.POST('/api/review-hints/{review}/{for}/{step}', {
      params: { path: { review, for: step.for, step: step.step } },
      body: { version, ...body },
      ...idempotent(key),
    }),
  )

/** How long the hints are taken to be those in force, in milliseconds. */
const fresh = 5 * 60_000

const kept = shallowRef<ReviewHint[]>([])
let at = -Infinity

/** Fetches what the person reads at the steps of reviews unless it is fresh. Without it each step goes on as it is. */
export async function loadReviewHints(now = Date.now()): Promise<void> {
  if (now - at < fresh) return
  at = now
  try {
    kept.value = (await data(api.GET('/api/my-review-hints'))).items ?? []
  } catch {
    at = -Infinity
  }
}

/** Has the next step fetch them anew. */
export function forgetReviewHints(): void {
  at = -Infinity
}

/** What the person reads at a step of a review; nothing until it is known. */
export function useReviewHint(review: string, step: () => string) {
  void loadReviewHints()
  return computed(() => kept.value.find((h) => h.review === review && h.step === step()))
}
