import { AlarmClock, CircleCheck, CircleClose, RefreshRight, VideoPause, WarningFilled } from '@element-plus/icons-vue'
import { api, data, idempotent, type Schemas } from '@/api/client'
import type { LabelTable } from '@/components/types'

export type Clock = Schemas['TicketClockView']
export type ClockState = 'running' | 'late' | 'paused' | 'met' | 'missed' | 'replaced' | 'ended'
export type Alert = NonNullable<Schemas['TicketItem']['alert']>
export type Budget = Schemas['TicketBudget']
export type Rung = Schemas['TicketRung']
export type Budgets = Schemas['BudgetsOutputBody']
export type NewBudget = Schemas['BudgetInputBody']
export type BudgetPreview = Schemas['TicketPreview']

export const listClocks = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/tickets/{id}/clocks', { params: { path: { id: Number(id) } }, signal })).then((page) => page.items)

export type Press = 'urge' | 'urge-answer' | 'instruct'

/** Presses the unit, answers a reminder, or gives an instruction. */
export const press = (id: string, what: Press, text: string, key: string) =>
  data(
    api.POST(`/api/tickets/{id}/${what}` as '/api/tickets/{id}/urge', {
      params: { path: { id: Number(id) } },
      body: { text },
      ...idempotent(key),
    }),
  )

export const getBudgets = (_: string, signal?: AbortSignal) => data(api.GET('/api/ticket-budgets', { signal }))

export const setBudget = (body: NewBudget, key: string) =>
  data(api.POST('/api/ticket-budgets', { body, ...idempotent(key) }))

export const removeBudget = (budget: Budget, key: string) =>
  data(
    api.POST('/api/ticket-budgets/{id}/remove', {
      params: { path: { id: budget.id } },
      body: { version: budget.version },
      ...idempotent(key),
    }),
  )

export const setLadder = (ladder: Rung[], key: string) =>
  data(api.POST('/api/ticket-ladder', { body: { ladder }, ...idempotent(key) }))

export const previewBudgets = (type: string, urgency: string, signal?: AbortSignal) =>
  data(
    api.GET('/api/ticket-budgets/preview', {
      params: { query: { type, urgency: (urgency || undefined) as 'normal' | undefined } },
      signal,
    }),
  ).then((page) => page.items)

export const alerts: LabelTable<Alert> = {
  due_soon: { text: '即将超时', tone: 'warning', icon: AlarmClock },
  overdue: { text: '已超时', tone: 'danger', icon: WarningFilled },
}

export const clockStates: LabelTable<ClockState> = {
  running: { text: '计时中', tone: 'primary', icon: AlarmClock },
  late: { text: '已超时', tone: 'danger', icon: WarningFilled },
  paused: { text: '暂停计时', tone: 'neutral', icon: VideoPause },
  met: { text: '按时完成', tone: 'success', icon: CircleCheck },
  missed: { text: '超时完成', tone: 'danger', icon: WarningFilled },
  replaced: { text: '重新计时', tone: 'neutral', icon: RefreshRight },
  ended: { text: '已终止', tone: 'neutral', icon: CircleClose },
}

/** How a clock stands, in one word. */
export function clockState(clock: Pick<Clock, 'state' | 'verdict' | 'overdue'>): ClockState {
  if (clock.state === 'paused') return 'paused'
  if (clock.state === 'running') return clock.overdue ? 'late' : 'running'
  if (clock.verdict === 'late') return 'missed'
  return clock.verdict === 'replaced' || clock.verdict === 'ended' ? clock.verdict : 'met'
}

export const units: Record<NewBudget['unit'], string> = {
  working_days: '工作日',
  working_minutes: '工作小时',
  clock_minutes: '小时（昼夜连续）',
}

export const kinds: Record<NewBudget['kind'], string> = {
  public: '办理时限',
  sign: '签收时限',
  handle: '承办时限',
  urge: '催办答复时限',
  return: '退单申请时限',
}

/** A budget as it is typed: days, or hours with half ones. */
export const typed = (amount: number, unit: NewBudget['unit']): number =>
  unit === 'working_days' ? amount : Math.round((amount / 60) * 100) / 100

/** What was typed as the server counts it: days, or minutes. */
export const counted = (value: number, unit: NewBudget['unit']): number =>
  unit === 'working_days' ? Math.round(value) : Math.round(value * 60)

const order = ['public', 'sign', 'handle', 'urge', '', 'normal', 'urgent', 'critical']

/** Budgets as people think of them: by clock, the general one first, then by urgency. */
export const inOrder = (budgets: Budget[]): Budget[] =>
  budgets.toSorted(
    (a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || order.indexOf(a.urgency) - order.indexOf(b.urgency),
  )
