import { shallowReactive } from 'vue'
import { usePagedTable } from '@/composables/usePagedTable'
import { useSession } from '@/stores/session'
import {
  listTicketAreas,
  listTickets,
  listTicketTypes,
  listTicketUnits,
  type Flag,
  type Source,
  type TicketArea,
  type TicketItem,
  type TicketStatus,
  type Urgency,
} from './api'
import { alerts, type Alert } from './clocks'
import { queues, sorts } from './desk'
import { flags, sources, ticketStatus, unitOptions, urgency } from './labels'

/** Nothing is asked for in particular. */
export const noFilters = () => ({
  q: '',
  scope: 'all',
  queue: '',
  status: [] as string[],
  urgency: '',
  alert: '',
  flag: '',
  type: [] as string[],
  area: [] as string[],
  unit: '',
  holder: '',
  source: '',
  tag: '',
  from: '',
  to: '',
  dueFrom: '',
  dueTo: '',
  phone: '',
  code: '',
  company: '',
  sort: '',
  /** The saved view that was chosen; what it filters stands beside it. */
  view: '',
})

export type TicketFilters = ReturnType<typeof noFilters>

/** What can be chosen of: the types, the streets and towns, and for those who dispatch the units. */
export interface TicketChoices {
  types: { code: string; name: string }[]
  areas: TicketArea[]
  units: { value: number; label: string }[]
}

function useTicketChoices(): TicketChoices {
  const choices = shallowReactive<TicketChoices>({ types: [], areas: [], units: [] })
  // A list that cannot be read is not offered; the others are.
  void listTicketTypes()
    .then((list) => (choices.types = list))
    .catch(() => undefined)
  void listTicketAreas()
    .then((list) => (choices.areas = [...list, { code: 'none', name: '未注明' }]))
    .catch(() => undefined)
  if (useSession().can('ticket.dispatch')) {
    void listTicketUnits()
      .then((list) => (choices.units = unitOptions(list)))
      .catch(() => undefined)
  }
  return choices
}

/** The list of tickets: what it is asked for, how that reads, its columns and its rows. */
export function useTicketTable() {
  const session = useSession()
  const choices = useTicketChoices()
  const me = String(session.current?.user?.id ?? '')
  const table = usePagedTable<TicketItem, TicketFilters>({
    key: 'ticket.list',
    filters: noFilters(),
    labels: {
      q: { label: '关键词' },
      scope: { label: '范围', text: () => '待我处理' },
      status: { label: '状态', text: (v) => ticketStatus[v as TicketStatus]?.text ?? v },
      flag: { label: '待审', text: (v) => (v === 'mine' ? '待我审批' : (flags[v as Flag]?.text ?? v)) },
      urgency: { label: '紧急程度', text: (v) => urgency[v as Urgency]?.text ?? v },
      alert: { label: '时限', text: (v) => alerts[v as Alert]?.text ?? v },
      queue: { label: '队列', text: (v) => queues[v] ?? v },
      type: { label: '类型', text: (v) => choices.types.find((t) => t.code === v)?.name ?? v },
      area: { label: '街道乡镇', text: (v) => choices.areas.find((a) => a.code === v)?.name ?? v },
      unit: { label: '承办单位', text: (v) => choices.units.find((u) => String(u.value) === v)?.label ?? v },
      holder: { label: '办理人', text: (v) => (v === me ? '本人' : v) },
      source: { label: '来源', text: (v) => sources[v as Source] ?? v },
      tag: { label: '标签' },
      from: { label: '受理自' },
      to: { label: '受理至' },
      dueFrom: { label: '时限自' },
      dueTo: { label: '时限至' },
      phone: { label: '电话' },
      code: { label: '信用代码' },
      company: { label: '企业编号' },
      sort: { label: '排序', text: (v) => sorts[v] ?? v },
    },
    columns: [
      { key: 'number', label: '工单编号', width: 180, fixed: true },
      { key: 'title', label: '标题', minWidth: 300 },
      { key: 'status', label: '状态', width: 170 },
      { key: 'urgency', label: '紧急程度', width: 100 },
      { key: 'dueAt', label: '办理时限', width: 190 },
      { key: 'alert', label: '预警', width: 110 },
      { key: 'typeName', label: '诉求类型', width: 130 },
      { key: 'areaName', label: '街道乡镇', width: 110 },
      { key: 'enterpriseName', label: '企业', minWidth: 160 },
      { key: 'requesterName', label: '联系人', width: 90, hidden: true },
      { key: 'unitName', label: '承办单位', minWidth: 130 },
      { key: 'holderName', label: '办理人', width: 90 },
      { key: 'tags', label: '标签', minWidth: 120, hidden: true },
      { key: 'source', label: '来源', width: 100, hidden: true },
      { key: 'createdAt', label: '受理时间', width: 170, hidden: true },
    ],
    load: ({ filters, cursor, limit, signal }) =>
      listTickets({ ...filters, waiting: filters.scope === 'waiting', cursor, limit }, signal),
    rowId: (row) => row.id,
    live: 'ticket',
  })
  return { table, choices }
}
