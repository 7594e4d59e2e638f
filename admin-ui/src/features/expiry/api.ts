import { api, data, idempotent, type Schemas } from '@/api/client'

export type Rule = Schemas['TicketExpireRule']
export type Idle = Schemas['TicketIdle']
export type Act = Schemas['TicketExpireAct']
export type NewRule = Omit<Schemas['ExpireRuleInputBody'], '$schema'>
export type ReturnCount = Schemas['TicketReturnCount']

export const listRules = () => data(api.GET('/api/ticket-expire-rules')).then((page) => page.items)

export const setRule = (body: NewRule, key: string) =>
  data(api.POST('/api/ticket-expire-rules', { body, ...idempotent(key) }))

export const previewRule = (id: number) =>
  data(api.GET('/api/ticket-expire-rules/{id}/preview', { params: { path: { id } } }))

export const listActs = (cursor?: string) => data(api.GET('/api/ticket-expire-acts', { params: { query: { cursor } } }))

export const listReturns = (from: string, to: string, signal?: AbortSignal) =>
  data(api.GET('/api/ticket-returns', { params: { query: { from, to } }, signal })).then((page) => page.items)

/** Where a rule looks, and what it may do there; the server has the last word. */
export const places: { value: Rule['state']; text: string; actions: Rule['action'][] }[] = [
  { value: 'received', text: '待处理', actions: ['report'] },
  { value: 'answered', text: '已答复', actions: ['close', 'report'] },
  { value: 'dispatched', text: '待签收', actions: ['recall', 'remind', 'report'] },
  { value: 'signed', text: '办理中', actions: ['remind', 'report'] },
  { value: 'suspended', text: '已挂起', actions: ['close', 'report'] },
  { value: 'replied', text: '待回访', actions: ['close', 'report'] },
  { value: 'callback', text: '回访中', actions: ['close', 'report'] },
  { value: 'unreached', text: '回访未接通', actions: ['close', 'report'] },
  { value: 'spared', text: '未抽中回访', actions: ['close'] },
  { value: 'closed', text: '已办结', actions: ['archive'] },
  { value: 'declined', text: '不予受理', actions: ['archive'] },
]

export const actions: { [action: string]: string } = {
  close: '办结',
  archive: '归档',
  recall: '收回至受理席',
  remind: '催促承办单位',
  report: '报告督办人员',
}
