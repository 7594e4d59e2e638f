import { computed, ref } from 'vue'
import type { Given, Item } from './api'
import type { Schemas } from '@/api/client'

type Ticket = Pick<Schemas['TicketView'], 'hops' | 'evidence'>

/** How many files the units under a part have shown for each item: they count with its answer. hopId 0 is the reply to the ticket. */
export function shownBelow(ticket: Ticket, hopId: number): Record<string, number> {
  const lead = ticket.hops.filter((h) => h.lead).at(-1)
  const top = hopId === 0 || hopId === lead?.id
  const under = new Set<number>()
  const walk = (id: number, beside: boolean): void => {
    for (const h of ticket.hops) {
      const below = h.parentId === id || (beside && !h.parentId && !h.lead && h.round === lead?.round)
      if (!below || under.has(h.id)) continue
      under.add(h.id)
      walk(h.id, false)
    }
  }
  walk(top ? (lead?.id ?? -1) : hopId, top)
  const out: Record<string, number> = {}
  for (const g of ticket.evidence?.given ?? [])
    if (g.fileId && g.hopId && under.has(g.hopId) && g.state !== 'invalid') out[g.item] = (out[g.item] ?? 0) + 1
  return out
}

/** What a person shows for the items of a checklist, and what is still missing of it. */
export function useShown(items: () => Item[], below: () => Record<string, number>) {
  const shown = ref<{ [item: string]: { given: Given; busy: boolean } }>({})
  const missing = computed(() => {
    const out: { [item: string]: string } = {}
    for (const i of items()) {
      const s = shown.value[i.code]
      if (s?.busy) out[i.code] = '附件还在上传，请稍候'
      else if (!i.required) continue
      else if (i.kind === 'text') {
        if (!s?.given.text) out[i.code] = `请填写${i.name}`
      } else if ((s?.given.fileIds?.length ?? 0) + (below()[i.code] ?? 0) < i.min)
        out[i.code] = `请上传${i.name}，至少 ${i.min} 个`
    }
    return out
  })
  const given = () => Object.values(shown.value).map((s) => s.given)
  const change = (item: string, value: Given, busy: boolean) => (shown.value[item] = { given: value, busy })
  return { missing, given, change }
}
