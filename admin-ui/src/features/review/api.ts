import { api, data, idempotent, type Schemas } from '@/api/client'

export type ReasonList = Schemas['ReviewListView']
export type Reason = Schemas['ReviewView']

/** The ready reasons of every review, the retired ones among them. */
export const listReasons = () => data(api.GET('/api/return-reasons')).then((p): ReasonList[] => p.items ?? [])

/** Adds a reason (version 0) or changes one. */
export const saveReason = (list: string, r: Reason, key: string) =>
  data(
    api.PUT('/api/return-reasons/{list}/{code}', {
      params: { path: { list, code: r.code } },
      body: { text: r.text.trim(), words: r.words, sort: r.sort, retired: r.retired, version: r.version },
      ...idempotent(key),
    }),
  )

/** A new reason behind the others, with a code that no other has. */
export function newReason(list: ReasonList): Reason {
  const items = list.items ?? []
  let n = items.length + 1
  while (items.some((r) => r.code === `reason_${n}`)) n++
  const last = Math.max(0, ...items.filter((r) => r.code !== 'other').map((r) => r.sort))
  return {
    code: `reason_${n}`,
    text: '',
    words: false,
    sort: last + 10,
    retired: false,
    version: 0,
    setAt: '',
    setBy: '',
  }
}
