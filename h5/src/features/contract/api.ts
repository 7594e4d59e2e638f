import { api, call } from '@/api/client'
import type { components } from '@/api/schema'
import type { StatusLook } from '@/components/StatusTag/types'

type Schemas = components['schemas']

export type Contract = Schemas['ContractView']

export const contractLooks: Record<Contract['state'], StatusLook> = {
  draft: { word: '草稿', tone: 'neutral' },
  sent: { word: '待企业签署', tone: 'warning' },
  half: { word: '待机构签署', tone: 'info' },
  effective: { word: '已生效', tone: 'success' },
  rejected: { word: '企业已拒签', tone: 'danger' },
  withdrawn: { word: '机构已撤回', tone: 'neutral' },
  expired: { word: '已过期', tone: 'neutral' },
  voided: { word: '已作废', tone: 'neutral' },
}

const ref = (c: Contract) => ({ path: { id: c.id } })

/** The contracts of an application that were sent to the company, the newest first. */
export const listContracts = (id: number) =>
  call(
    api.GET('/api/case-contracts/{object}/{id}', { params: { path: { object: 'application', id } } }),
  ).then((page) => page.items)

export const sendSigningCode = (c: Contract) => call(api.POST('/api/contracts/{id}/code', { params: ref(c) }))

export const signContract = (c: Contract, code: string) =>
  call(api.POST('/api/contracts/{id}/sign', { params: ref(c), body: { version: c.version, code } }))

export const rejectContract = (c: Contract, reason: string) =>
  call(api.POST('/api/contracts/{id}/reject', { params: ref(c), body: { version: c.version, reason } }))

/** Asks to void a contract, or answers such a request: `yes` agrees. */
export const voidContract = (c: Contract, yes: boolean, reason: string) =>
  call(api.POST('/api/contracts/{id}/void', { params: ref(c), body: { version: c.version, yes, reason } }))
