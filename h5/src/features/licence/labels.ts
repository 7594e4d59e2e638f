import type { StatusLook, Tone } from '@/components/StatusTag/types'

import type { Licence } from './api'

const tones: Record<string, Tone> = { valid: 'success', soon: 'warning', expired: 'danger' }

export const standingLook = (licence: Licence): StatusLook => ({
  word: licence.word,
  tone: tones[licence.standing] ?? 'neutral',
})
