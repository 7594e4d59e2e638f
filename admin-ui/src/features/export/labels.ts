import { CircleCheck, CircleClose, Clock, Delete, Loading, Remove } from '@element-plus/icons-vue'
import type { LocationQuery } from 'vue-router'
import type { LabelTable } from '@/components/types'
import type { ExportState, ExportView } from './api'

export const exportState: LabelTable<ExportState> = {
  queued: { text: '排队中', tone: 'primary', icon: Clock },
  running: { text: '生成中', tone: 'primary', icon: Loading },
  done: { text: '已完成', tone: 'success', icon: CircleCheck },
  failed: { text: '失败', tone: 'danger', icon: CircleClose },
  cancelled: { text: '已取消', tone: 'neutral', icon: Remove },
  expired: { text: '已过期', tone: 'neutral', icon: Delete },
}

/** Whether something still happens to it by itself. */
export const moving = (e: Pick<ExportView, 'state'>): boolean => e.state === 'queued' || e.state === 'running'

/** Percent done; 0 while nobody knows the end. */
export function percent(e: Pick<ExportView, 'rows' | 'total' | 'state'>): number {
  if (e.state === 'done') return 100
  return e.total > 0 ? Math.min(99, Math.floor((e.rows / e.total) * 100)) : 0
}

/** The filters of a list as its address holds them, for the server: several values separated by commas. */
export function filtersOf(query: LocationQuery): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [name, raw] of Object.entries(query)) {
    if (name === 'cursor' || name === 'open' || name === 'prev') continue
    const value = (Array.isArray(raw) ? raw : [raw]).filter((v): v is string => !!v).join(',')
    if (value !== '') out[name] = value
  }
  return out
}
