import { api, data, idempotent, type Schemas } from '@/api/client'

export type Item = Schemas['TicketEvidenceItem']
export type Rule = Schemas['TicketEvidenceRule']
export type Given = Schemas['TicketGivenEvidence']

export const listRules = () => data(api.GET('/api/ticket-evidence-rules')).then((page) => page.items)

export const setRule = (type: string, items: Item[], version: number, key: string) =>
  data(api.POST('/api/ticket-evidence-rules', { body: { type, items, version }, ...idempotent(key) }))

export const kinds: { value: Item['kind']; text: string }[] = [
  { value: 'text', text: '文字' },
  { value: 'image', text: '照片' },
  { value: 'document', text: '文件' },
  { value: 'any', text: '附件' },
]

export const kindText = (k: string): string => kinds.find((x) => x.value === k)?.text ?? k
