import { CircleCheck, CircleClose, Clock, Warning } from '@element-plus/icons-vue'
import type { LabelTable } from '@/components/types'

/** Where a company stands with a purpose. */
export const standings: LabelTable = {
  no_text: { text: '授权书未发布', tone: 'neutral', icon: Clock },
  open: { text: '未授权', tone: 'warning', icon: Warning },
  granted: { text: '已授权', tone: 'success', icon: CircleCheck },
  old_holds: { text: '旧版本授权，有效', tone: 'primary', icon: CircleCheck },
  old_void: { text: '旧版本授权，已失效', tone: 'warning', icon: Warning },
  expired: { text: '已到期', tone: 'warning', icon: Warning },
  was_revoked: { text: '已撤回', tone: 'neutral', icon: CircleClose },
}

export const lasting = (days: number): string => (days > 0 ? `${days} 天` : '至撤回时止')
