import type { StatusLook, Tone } from '@/components/StatusTag/types'
import { dateTime, day } from '@/format'

import type { Asked, Grant } from './api'

const tones: Record<string, Tone> = {
  granted: 'success',
  old_holds: 'info',
  open: 'warning',
  old_void: 'warning',
  expired: 'warning',
}

export const standingLook = (of: Pick<Asked, 'standing' | 'word'>): StatusLook => ({
  word: of.word,
  tone: tones[of.standing] ?? 'neutral',
})

/** Who agreed, when and from where. */
export function grantWords(grant: Grant): string {
  const where = [grant.channel, grant.ip].filter(Boolean).join('，')
  const until = grant.until ? `，有效期至 ${day(grant.until)}` : ''
  return `${dateTime(grant.grantedAt)}由 ${grant.grantedName} 授权（${where}）${until}`
}
