import type { Cause, State } from './api'

export const phases: Record<string, string> = { during: '服务中', after: '服务后' }

export const states: Record<State, string> = {
  low: '不满意',
  unanswered: '未回复',
  reported: '举报待处理',
  hidden: '文字已隐藏',
  voided: '不计分',
}

export const causes: Record<Cause, string> = {
  insult: '辱骂攻击',
  privacy: '泄露隐私或商业秘密',
  untrue: '内容不实',
  advert: '广告或与服务无关',
  other: '其他',
}

export const results: Record<string, string> = {
  open: '待处理',
  kept: '评价保留',
  hidden: '文字隐藏，评分保留',
  second: '文字隐藏，待第二人确认是否不计分',
  voided: '文字隐藏，不计分',
}

/** The colour of a level; its word and number stand beside it. */
export const levelTone = (level: number) => (level >= 4 ? 'success' : level === 3 ? 'warning' : 'danger')

/** "4.86" of hundredths. */
export const score = (hundredths: number) => (hundredths / 100).toFixed(2)
