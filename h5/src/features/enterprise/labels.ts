import type { Difference } from './api'

import type { StatusLook, Tone } from '@/components/StatusTag/types'

const looks: Record<string, StatusLook> = {
  unverified: { word: '未认证', tone: 'warning' },
  pending: { word: '认证审核中', tone: 'info' },
  verified: { word: '已认证', tone: 'success', icon: 'certificate' },
  returned: { word: '认证被退回', tone: 'danger' },
}

/** How the state of a company's verification is shown; null for one this version does not know. */
export function verificationLook(verification: string): StatusLook | null {
  return looks[verification] ?? null
}

/** Whether the owner may try to have the company verified. */
export const mayVerify = (verification: string) =>
  verification === 'unverified' || verification === 'returned'

/** Where a person is led who looks at the state of the company. */
export const companyEntry = (verification: string) =>
  mayVerify(verification) ? '/company/verify' : '/company'

/** Whether a change of registration is on its way. */
export const changeOpen = (attempt?: { outcome: string }) =>
  attempt?.outcome === 'asking' || attempt?.outcome === 'waiting'

const tones: Record<string, Tone> = {
  verified: 'success',
  approved: 'success',
  asking: 'info',
  waiting: 'info',
  held: 'info',
  member: 'info',
  closed: 'danger',
  returned: 'danger',
}

/** The colour of how an attempt ended. */
export const outcomeTone = (outcome: string): Tone => tones[outcome] ?? 'warning'

export const roleWords: Record<string, string> = { owner: '负责人', member: '成员' }

/** What a change is about, in a line. */
export const changeWords = (changes?: Difference[] | null): string =>
  (changes ?? [])
    .map((c) => (c.from ? `${c.label}由“${c.from}”变更为“${c.to}”` : `${c.label}登记为“${c.to}”`))
    .join('，')
