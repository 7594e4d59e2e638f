import {
  CircleCheck,
  CircleClose,
  DArrowRight,
  EditPen,
  Finished,
  Loading,
  Plus,
  RefreshRight,
  Remove,
  View,
  WarningFilled,
} from '@element-plus/icons-vue'
import type { LabelTable } from '@/components/types'
import type { Duplicates, ImportItem, ImportState, ImportTarget, RowState } from './api'

export const importState: LabelTable<ImportState> = {
  mapping: { text: '待设置列', tone: 'warning', icon: EditPen },
  reading: { text: '检查中', tone: 'primary', icon: Loading },
  checked: { text: '待发布', tone: 'warning', icon: Finished },
  publishing: { text: '发布中', tone: 'primary', icon: Loading },
  done: { text: '已完成', tone: 'success', icon: CircleCheck },
  failed: { text: '失败', tone: 'danger', icon: CircleClose },
  cancelled: { text: '已取消', tone: 'neutral', icon: Remove },
}

export const rowState: LabelTable<RowState> = {
  good: { text: '可新增', tone: 'primary', icon: Plus },
  known: { text: '已有记录', tone: 'warning', icon: RefreshRight },
  bad: { text: '有问题', tone: 'danger', icon: WarningFilled },
  created: { text: '已新增', tone: 'success', icon: CircleCheck },
  updated: { text: '已更新', tone: 'success', icon: RefreshRight },
  skipped: { text: '已跳过', tone: 'neutral', icon: DArrowRight },
  refused: { text: '未导入', tone: 'danger', icon: CircleClose },
  review: { text: '待人工审核', tone: 'warning', icon: View },
  dropped: { text: '审核不采用', tone: 'neutral', icon: Remove },
}

export const duplicateWords: Record<Duplicates, string> = {
  skip: '跳过，保留系统中的记录',
  update: '用文件中的内容更新',
  refuse: '列为问题，不导入',
}

/** Whether something still happens to it by itself. */
export const moving = (i: Pick<ImportItem, 'state'>): boolean => i.state === 'reading' || i.state === 'publishing'

/** Percent of the step that is under way. */
export function percent(i: ImportItem): number {
  if (i.state === 'reading') return i.total > 0 ? Math.min(99, Math.floor((i.read / i.total) * 100)) : 0
  const all = i.good + i.known
  const done = i.created + i.updated + i.skipped + i.refused
  return all > 0 ? Math.min(i.state === 'done' ? 100 : 99, Math.floor((done / all) * 100)) : 0
}

/** What is still wrong with a choice of columns: one sentence per field. */
export function complaints(target: ImportTarget, columns: Record<string, number>): Record<string, string> {
  const out: Record<string, string> = {}
  const used = new Map<number, string>()
  for (const field of target.fields) {
    const column = columns[field.key]
    if (column === undefined) {
      if (field.required) out[field.key] = `请选择“${field.title}”对应的列`
      continue
    }
    const other = used.get(column)
    if (other) out[field.key] = `与“${other}”选了同一列`
    used.set(column, field.title)
  }
  return out
}

export const templateOf = (target: string): string => `/api/import-targets/${target}/template`
export const reportOf = (id: number): string => `/api/imports/${id}/report`
export const resultOf = (id: number): string => `/api/imports/${id}/result`
