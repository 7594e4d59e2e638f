import type { StatusLook } from '@/components/StatusTag/types'
import { money } from '@/format'

import type { AnswerItem, Group, LineState, MyGrant, PolicyItem, PublicGrant, Window } from './api'

const windows: Record<Window, StatusLook> = {
  open: { word: '正在申报', tone: 'success', icon: 'clock-o' },
  upcoming: { word: '即将开始', tone: 'info', icon: 'clock-o' },
  always: { word: '常年受理', tone: 'neutral', icon: 'passed' },
  closed: { word: '申报已截止', tone: 'neutral', icon: 'stop-circle-o' },
}

export const windowLook = (window: Window): StatusLook =>
  windows[window] ?? { word: '见原文', tone: 'neutral' }

const groups: Record<Group, StatusLook> = {
  eligible: { word: '符合', tone: 'success', icon: 'passed' },
  possible: { word: '待确认', tone: 'info', icon: 'info-o' },
  nearly: { word: '接近', tone: 'warning', icon: 'clock-o' },
  by_hand: { word: '需人工判定', tone: 'neutral', icon: 'friends-o' },
  not_eligible: { word: '不符合', tone: 'neutral', icon: 'close' },
}

/** How an answer of the matching is shown; one this version does not know is left to people. */
export const groupLook = (group: Group): StatusLook => groups[group] ?? groups.by_hand

const states: Record<LineState, StatusLook> = {
  met: { word: '满足', tone: 'success', icon: 'passed' },
  unmet: { word: '不满足', tone: 'danger', icon: 'close' },
  unknown: { word: '待确认', tone: 'warning', icon: 'question-o' },
  human: { word: '需人工判定', tone: 'info', icon: 'friends-o' },
  spare: { word: '可不满足', tone: 'neutral', icon: 'minus' },
}

/** How one condition stands; null where no company is judged. */
export const stateLook = (state: LineState | undefined): StatusLook | null =>
  state ? (states[state] ?? states.unknown) : null

/** "2026年11月7日" of a plain day; empty for an open one. */
export function dayText(day: string | undefined): string {
  const [year, month, date] = (day ?? '').split('-').map(Number)
  return year && month && date ? `${year}年${month}月${date}日` : ''
}

/** When applications are taken. */
export function windowText(policy: Pick<PolicyItem, 'opensOn' | 'closesOn'>): string {
  const opens = dayText(policy.opensOn)
  const closes = dayText(policy.closesOn)
  if (opens && closes) return `${opens} 至 ${closes}`
  if (opens) return `${opens} 起`
  return closes ? `${closes} 截止` : '常年受理'
}

/** The most one company can receive; empty when there is no money in it. */
export const supportText = (policy: Pick<PolicyItem, 'capFen'>): string =>
  policy.capFen > 0 ? `最高 ${money(policy.capFen)}` : ''

/** Where a fact was learnt and of which day it is. */
export function originText(source: string | undefined, asOf: string | undefined): string {
  const day = dayText(asOf)
  return source && day ? `${source}，截至 ${day}` : (source ?? '')
}

/** What an answer is about. */
export function answerTitle(answer: Pick<AnswerItem, 'q' | 'title' | 'kind'>): string {
  if (answer.q) return `“${answer.q}”的匹配`
  if (answer.title) return `与《${answer.title.replace(/^《|》$/g, '')}》的匹配`
  return answer.kind === 'quick' ? '按填写的条件匹配' : '与全部可申报政策的匹配'
}

/** By which texts it was judged. */
export const answerExtent = (answer: Pick<AnswerItem, 'edition' | 'policies'>): string =>
  answer.edition ? `按政策第 ${answer.edition} 版` : `涉及 ${answer.policies} 项政策`

/** How a list stands for everybody. */
export function grantLook(grant: Pick<PublicGrant, 'open' | 'state' | 'stateName'>): StatusLook {
  if (grant.open) return { word: '公示中', tone: 'info', icon: 'clock-o' }
  return grant.state === 'final'
    ? { word: grant.stateName, tone: 'success', icon: 'passed' }
    : { word: '公示已结束', tone: 'neutral', icon: 'stop-circle-o' }
}

const places: Record<MyGrant['mine'], Omit<StatusLook, 'word'>> = {
  listed: { tone: 'info', icon: 'info-o' },
  removed: { tone: 'neutral', icon: 'close' },
  confirmed: { tone: 'success', icon: 'passed' },
  declined: { tone: 'neutral', icon: 'stop-circle-o' },
}

/** Where the own company stands on a list. */
export const placeLook = (mine: Pick<MyGrant, 'mine' | 'mineName' | 'mayConfirm'>): StatusLook =>
  mine.mayConfirm && mine.mine === 'listed'
    ? { word: '待本企业确认', tone: 'warning', icon: 'clock-o' }
    : { word: mine.mineName, ...places[mine.mine] }
