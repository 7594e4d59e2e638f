import type { Card, Kind, Mark, State } from './api'

export const kinds: Record<Kind, string> = { opened: '受理', answered: '直接答复', called_back: '回访' }

export const states: Record<State, { text: string; tone: 'info' | 'warning' | 'danger' | 'success' | 'primary' }> = {
  waiting: { text: '待评分', tone: 'warning' },
  scored: { text: '已评分', tone: 'primary' },
  appealed: { text: '申诉中', tone: 'danger' },
  decided: { text: '已复核', tone: 'success' },
  skipped: { text: '无法评分', tone: 'info' },
}

/** The marks of faultless work by a card. */
export const fullMarks = (card: Card): Mark[] => card.items.map((i) => ({ item: i.name, points: i.points, note: '' }))

/** What the marks add up to: nothing with a fatal fault. */
export const total = (marks: Mark[], fatal: string[]): number =>
  fatal.length > 0 ? 0 : marks.reduce((sum, m) => sum + (m.points || 0), 0)

/** What keeps the marks from being sent, as a sentence; '' for nothing. */
export function complaint(card: Card, marks: Mark[], fatal: string[], comment: string): string {
  for (const [i, item] of card.items.entries()) {
    const m = marks[i]
    if (!m || !Number.isInteger(m.points) || m.points < 0 || m.points > item.points)
      return `“${item.name}”请填 0 至 ${item.points} 的整数`
    if (m.points < item.points && [...m.note.trim()].length < 2) return `请填写“${item.name}”的扣分原因`
  }
  if (fatal.length > 0 && [...comment.trim()].length < 5) return '有一票否决项，请在总体评语中写明依据，至少 5 个字'
  return ''
}
