export type Tone = 'neutral' | 'info' | 'success' | 'warning' | 'danger' | 'urgent'

/** How one status is shown everywhere: its word, its tone and, when the tone's own icon is not enough, its icon. */
export interface StatusLook {
  word: string
  tone: Tone
  icon?: string
}
