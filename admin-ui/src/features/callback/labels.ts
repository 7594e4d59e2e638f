import type { Record, Result, View } from './api'

export const results: { value: Result; text: string }[] = [
  { value: 'reached', text: '接通' },
  { value: 'no_answer', text: '无人接听' },
  { value: 'refused', text: '拒访' },
  { value: 'wrong_number', text: '空号错号' },
]

/** The five levels, the best first. */
export const levels = [
  { value: 5, text: '非常满意' },
  { value: 4, text: '满意' },
  { value: 3, text: '基本满意' },
  { value: 2, text: '不满意' },
  { value: 1, text: '非常不满意' },
]

export const sources: { [source: string]: string } = { phone: '人工回访', voice: '语音回访', requester: '企业自评' }

export const views: { value: View; text: string; empty: string }[] = [
  { value: 'due', text: '待回访', empty: '反馈审核通过的工单会自动进入这里。' },
  { value: 'later', text: '已约时间', empty: '未接通的工单到再次回访的时间前在这里等待。' },
  { value: 'unreached', text: '多次未接通', empty: '达到回访次数仍未接通的工单，由定时规则办结，也可以人工处理。' },
  { value: 'spared', text: '未抽中', empty: '按抽样比例不回访的工单，企业无异议时按规则办结。' },
  { value: 'done', text: '回访记录', empty: '完成的回访会记录在这里。' },
]

/** What a caller fills in. */
export interface Values {
  result: Result
  responded: 'yes' | 'no' | 'unasked'
  solved: boolean | undefined
  level: number
  tags: string[]
  words: string
  then: 'reopen' | 'close'
  nextAt: Date | null
}

export const fresh = (): Values => ({
  result: 'reached',
  responded: 'unasked',
  solved: undefined,
  level: 0,
  tags: [],
  words: '',
  then: 'reopen',
  nextAt: null,
})

/** Whether the requester is content: solved, and satisfied on the whole. */
export const good = (v: Values): boolean => v.solved === true && v.level >= 3

/** What keeps the call from being kept. */
export function check(v: Values): { [field: string]: string } {
  const found: { [field: string]: string } = {}
  if (v.result !== 'reached') return found
  if (v.solved === undefined) found['solved'] = '请登记是否解决'
  if (v.level === 0) found['level'] = '请登记满意程度'
  if (v.solved !== undefined && v.level > 0 && !good(v) && v.words.trim() === '')
    found['words'] = '未解决或不满意时，请写明情况'
  return found
}

export function body(v: Values): Record {
  if (v.result !== 'reached') {
    return { result: v.result, words: v.words.trim() || undefined, nextAt: v.nextAt?.toISOString() }
  }
  return {
    result: 'reached',
    responded: v.responded === 'unasked' ? undefined : v.responded === 'yes',
    solved: v.solved,
    level: v.level,
    tags: v.tags,
    words: v.words.trim() || undefined,
    then: good(v) ? undefined : v.then,
  }
}
