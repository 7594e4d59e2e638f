import type { StatusLook } from '@/components/StatusTag/types'

/** How a file is shown that cannot be downloaded. */
export const fileLooks = {
  waiting: { word: '待扫描', tone: 'warning' },
  quarantined: { word: '已隔离', tone: 'danger' },
} satisfies Record<string, StatusLook>

/** The look of a file's state; none for one that may be downloaded. */
export function fileLook(state: string | undefined): StatusLook | undefined {
  return state === 'waiting' || state === 'quarantined' ? fileLooks[state] : undefined
}
