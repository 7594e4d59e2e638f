import { CircleCheck, CircleClose, Clock, Warning } from '@element-plus/icons-vue'
import type { LabelTable, Tone } from '@/components/types'
import type { Schemas } from '@/api/client'
import type { Verification } from './api'

export const verification: LabelTable<Verification> = {
  unverified: { text: '未认证', tone: 'warning', icon: Warning },
  pending: { text: '认证审核中', tone: 'primary', icon: Clock },
  verified: { text: '已认证', tone: 'success', icon: CircleCheck },
  returned: { text: '认证被退回', tone: 'danger', icon: CircleClose },
}

const tones: Record<string, Tone> = {
  verified: 'success',
  approved: 'success',
  waiting: 'primary',
  asking: 'primary',
  held: 'primary',
  member: 'primary',
  closed: 'danger',
  returned: 'danger',
}

/** The colour of how an attempt ended. */
export const outcomeTone = (outcome: string): Tone => tones[outcome] ?? 'warning'

export const kinds: Record<string, string> = {
  registry: '登记系统核验',
  review: '人工审核',
  facts: '获取登记信息',
  change: '变更登记',
}

/** What a person is asked to decide. */
export const reviewKinds: Record<string, string> = { review: '企业认证', change: '变更登记' }

export const roles: Record<string, string> = { owner: '负责人', member: '成员' }

const answers: Record<string, string> = {
  refused: '登记系统拒绝访问',
  timeout: '登记系统超时未答复',
  unavailable: '登记系统不可用',
  none: '未接入登记系统',
}

/** The registry's codes in words: "有登记，名称一致，法定代表人不一致，状态存续". */
export function answerText(codes: string): string {
  if (answers[codes]) return answers[codes]
  const told = new Map(codes.split(' ').map((pair) => pair.split('=') as [string, string]))
  if (told.get('found') !== 'true') return codes ? '无登记信息' : ''
  const same = (name: string) => (told.get(name) === 'true' ? '一致' : '不一致')
  return `有登记，名称${same('name')}，法定代表人${same('person')}，状态${told.get('status') || '未知'}`
}

/** What a change is about, in a line. */
export const changeWords = (changes?: Schemas['EnterpriseDifference'][] | null): string =>
  (changes ?? [])
    .map((c) => (c.from ? `${c.label}由“${c.from}”变更为“${c.to}”` : `${c.label}登记为“${c.to}”`))
    .join('，')
