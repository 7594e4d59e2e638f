import { api, data, idempotent, type Schemas } from '@/api/client'

export type Contract = Schemas['ContractView']
export type CaseContracts = Schemas['ContractCaseView']
export type Template = Schemas['ContractTemplateView']
export type State = Contract['state']

export const states: Record<State, { text: string; tone: 'success' | 'info' | 'warning' | 'danger' }> = {
  draft: { text: '草稿', tone: 'info' },
  sent: { text: '待企业签署', tone: 'warning' },
  half: { text: '待机构签署', tone: 'warning' },
  effective: { text: '已生效', tone: 'success' },
  rejected: { text: '企业已拒签', tone: 'danger' },
  withdrawn: { text: '机构已撤回', tone: 'info' },
  expired: { text: '已过期', tone: 'info' },
  voided: { text: '已作废', tone: 'info' },
}
export const sides = { company: '企业', institution: '机构' } as const

/** What a template may hold; the server refuses others. */
export const placeholders = [
  '合同编号',
  '企业名称',
  '机构名称',
  '申请编号',
  '产品名称',
  '申请金额',
  '申请期限',
  '批准金额',
  '批准期限',
  '年利率',
  '联系人',
  '经办人',
  '日期',
]
/** The placeholders that are still in a text. */
export const blanks = (body: string): string[] => [...body.matchAll(/\{\{([^{}]*)\}\}/g)].map((m) => m[1]!.trim())

export interface Words {
  title: string
  body: string
  fileId: number
  days: number
}

const byId = (id: number) => ({ params: { path: { id } } })
const ofCase = (id: number) => ({ params: { path: { object: 'application', id } } })
const ref = (c: Contract) => ({ version: c.version })

export const listContracts = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/case-contracts/{object}/{id}', { ...ofCase(Number(id)), signal }))
export const makeContract = (id: number, templateId: number, words: Words, key: string) =>
  data(
    api.POST('/api/case-contracts/{object}/{id}', {
      ...ofCase(id),
      body: { templateId, ...words },
      ...idempotent(key),
    }),
  )
export const editContract = (c: Contract, words: Words) =>
  data(api.PUT('/api/contracts/{id}', { ...byId(c.id), body: { ...ref(c), ...words } }))
export const sendContract = (c: Contract) => data(api.POST('/api/contracts/{id}/send', { ...byId(c.id), body: ref(c) }))
export const withdrawContract = (c: Contract, reason: string) =>
  data(api.POST('/api/contracts/{id}/withdraw', { ...byId(c.id), body: { ...ref(c), reason } }))
export const sendCode = (c: Contract) => data(api.POST('/api/contracts/{id}/code', byId(c.id)))
export const signContract = (c: Contract, code: string) =>
  data(api.POST('/api/contracts/{id}/sign', { ...byId(c.id), body: { ...ref(c), code } }))
export const voidContract = (c: Contract, yes: boolean, reason: string) =>
  data(api.POST('/api/contracts/{id}/void', { ...byId(c.id), body: { ...ref(c), yes, reason } }))
export const listTemplates = (_?: string, signal?: AbortSignal) =>
  data(api.GET('/api/contract-templates', { signal })).then((page) => page.items)
export const saveTemplate = (t: { family: string; edition: number; title: string; body: string; withdrawn: boolean }) =>
  data(api.POST('/api/contract-templates', { body: t }))
