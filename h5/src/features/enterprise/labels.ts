import type { StatusLook } from '@/components/StatusTag/types'

const looks: Record<string, StatusLook> = {
  unverified: { word: '未认证', tone: 'warning' },
  pending: { word: '认证审核中', tone: 'info' },
  verified: { word: '已认证', tone: 'success', icon: 'certificate' },
  rejected: { word: '认证未通过', tone: 'danger' },
}

/** How the state of a company's verification is shown; null for one this version does not know. */
export function verificationLook(verification: string): StatusLook | null {
  return looks[verification] ?? null
}
