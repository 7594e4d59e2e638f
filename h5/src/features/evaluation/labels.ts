import type { StatusLook } from '@/components/StatusTag/types'

/** How a level is shown: its word and its number, never the colour alone. */
export function levelLook(level: number, label: string): StatusLook {
  const tone = level >= 4 ? 'success' : level === 3 ? 'warning' : 'danger'
  return { word: `${label} ${level} 分`, tone, icon: level >= 4 ? 'smile-o' : 'comment-o' }
}

export const phases = { during: '服务中', after: '服务后' }

/** "4.86" of hundredths. */
export const score = (hundredths: number) => (hundredths / 100).toFixed(2)
