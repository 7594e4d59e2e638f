import { CircleClose, Clock } from '@element-plus/icons-vue'
import type { Label, LabelTable } from './types'

/** The states in which a file cannot be downloaded. */
export const fileStates: LabelTable<'waiting' | 'quarantined'> = {
  waiting: { text: '待扫描', tone: 'warning', icon: Clock },
  quarantined: { text: '已隔离', tone: 'danger', icon: CircleClose },
}

/** Whether a file may be opened and downloaded. */
export const isAvailable = (file: { state?: string }) =>
  !file.state || !(file.state in (fileStates as Record<string, Label>))
