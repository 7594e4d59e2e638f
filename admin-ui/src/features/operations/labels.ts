import { CircleCheck, CircleClose, Clock, Loading, RefreshRight, Remove, WarningFilled } from '@element-plus/icons-vue'
import type { LabelTable } from '@/components/types'
import { dateTime } from '@/format'
import type { Check, CheckState, JobState, Run, RunState, Task } from './api'

export const runStates: LabelTable<RunState> = {
  waiting: { text: '等待执行', tone: 'primary', icon: Clock },
  running: { text: '执行中', tone: 'primary', icon: Loading },
  done: { text: '成功', tone: 'success', icon: CircleCheck },
  failed: { text: '失败', tone: 'danger', icon: CircleClose },
}

export const checkStates: LabelTable<CheckState> = {
  normal: { text: '正常', tone: 'success', icon: CircleCheck },
  warn: { text: '注意', tone: 'warning', icon: WarningFilled },
  bad: { text: '异常', tone: 'danger', icon: CircleClose },
}

export const jobStates: LabelTable<JobState> = {
  retryable: { text: '等待重试', tone: 'warning', icon: RefreshRight },
  discarded: { text: '已失败', tone: 'danger', icon: CircleClose },
  cancelled: { text: '已终止', tone: 'neutral', icon: Remove },
}

/** "按计划", "王芳立即执行": what asked for a run. */
export function triggerText(run: Pick<Run, 'trigger' | 'askedBy'>): string {
  if (run.trigger === 'clock') return run.askedBy ? `${run.askedBy}提前执行` : '按计划'
  return run.trigger === 'retry' ? `${run.askedBy}重试` : `${run.askedBy}立即执行`
}

/** "380 毫秒", "4.2 秒", "3 分 5 秒". */
export function took(ms: number): string {
  if (ms < 1000) return `${ms} 毫秒`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} 秒`
  return `${Math.floor(ms / 60_000)} 分 ${Math.floor((ms % 60_000) / 1000)} 秒`
}

export const runTook = (run?: Run): string => (run?.startedAt ? took(run.tookMs) : '—')

/** When a task runs next, or why it does not. */
export function nextText(task: Task): string {
  if (task.pausedAt) return '已暂停'
  return task.next ? dateTime(task.next) : '—'
}

/** "≥ 60 秒注意，≥ 600 秒异常"; empty for a check without limits. */
export function limitsText(check: Check): string {
  if (!check.unit) return ''
  const sign = check.less ? '≤' : '≥'
  if (check.warn === check.bad) return `${sign} ${check.bad} ${check.unit}异常`
  return `${sign} ${check.warn} ${check.unit}注意，${sign} ${check.bad} ${check.unit}异常`
}

export interface CheckGroup {
  name: string
  checks: Check[]
}

/** The checks under their headings, in the order of the program. */
export function groupedChecks(checks: Check[]): CheckGroup[] {
  const groups: CheckGroup[] = []
  for (const check of checks) {
    const group = groups.find((g) => g.name === check.group)
    if (group) group.checks.push(check)
    else groups.push({ name: check.group, checks: [check] })
  }
  return groups
}

/** What is wrong with two limits, "" when nothing is. */
export function limitsFault(check: Pick<Check, 'less'>, warn?: number | null, bad?: number | null): string {
  if (warn == null || bad == null) return '请填写两个阈值'
  if (check.less ? bad > warn : bad < warn) return '异常阈值应当比注意阈值更严重，请核对两个数字'
  return ''
}
