import { Check, CircleCheck, CircleClose, Clock, CopyDocument, Loading } from '@element-plus/icons-vue'
import type { LabelTable } from '@/components/types'
import { ago, fileSize } from '@/format'
import type { Backup, BackupState, Standing } from './api'

export const backupStates: LabelTable<BackupState> = {
  waiting: { text: '等待开始', tone: 'primary', icon: Clock },
  making: { text: '正在备份', tone: 'primary', icon: Loading },
  verifying: { text: '正在恢复验证', tone: 'primary', icon: Check },
  copying: { text: '正在复制', tone: 'primary', icon: CopyDocument },
  done: { text: '验证通过', tone: 'success', icon: CircleCheck },
  failed: { text: '未完成', tone: 'danger', icon: CircleClose },
}

/** Whether a run is not over. */
export const moving = (b: Pick<Backup, 'state'>): boolean => b.state !== 'done' && b.state !== 'failed'

/** 0 to 100; 0 when it is not known how much there is. */
export const percent = (b: Pick<Backup, 'stageDone' | 'stageTotal'>): number =>
  b.stageTotal > 0 ? Math.min(100, Math.floor((b.stageDone * 100) / b.stageTotal)) : 0

export const causeText = (b: Pick<Backup, 'cause' | 'askedBy' | 'attempt'>): string =>
  [b.cause === 'manual' ? `${b.askedBy}立即备份` : '按计划', b.attempt > 1 ? `第 ${b.attempt} 次尝试` : '']
    .filter(Boolean)
    .join('，')

/** Bytes as people read them, also a disk's. */
export const bytes = (n: number): string => (n >= 1024 ** 3 ? `${(n / 1024 ** 3).toFixed(1)} GB` : fileSize(n))

/** What the comparison found. */
export function comparison(b: Backup): string {
  if (!b.verifiedAt) return '—'
  const lost = b.filesMissing + b.filesDamaged
  return lost > 0 ? `数据一致，附件缺失或损坏 ${lost} 个` : '恢复后逐行比对一致'
}

/** One sentence for the head of the page, and how bad it is. */
export function verdict(s: Standing, now = Date.now()): { type: 'success' | 'warning' | 'error'; text: string } {
  if (!s.last.configured) return { type: 'error', text: '尚未配置备份公钥，数据没有备份' }
  if (s.last.fault) return { type: 'error', text: `最近一次备份未完成：${s.last.fault}` }
  if (!s.last.verifiedAt) return { type: 'warning', text: '还没有验证通过的备份' }
  const text = `${ago(s.last.verifiedAt, now)}的备份已恢复验证通过`
  if (s.last.lost > 0) return { type: 'error', text: `${text}，但有 ${s.last.lost} 个附件缺失或损坏` }
  if (s.last.copyFault) return { type: 'warning', text: `${text}，但未能复制到第二位置：${s.last.copyFault}` }
  if (now - new Date(s.last.verifiedAt).getTime() > 26 * 3_600_000) {
    return { type: 'warning', text: `超过 26 小时没有验证通过的备份，最近一次为${ago(s.last.verifiedAt, now)}` }
  }
  return { type: 'success', text }
}
