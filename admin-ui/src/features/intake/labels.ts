import {
  ChatLineRound,
  CircleClose,
  Clock,
  Connection,
  DeleteFilled,
  Message,
  Mute,
  Tickets,
} from '@element-plus/icons-vue'
import type { LabelTable } from '@/components/types'
import type { MessageChannel, MessageState } from './api'

export const states: LabelTable<MessageState> = {
  pending: { text: '待处理', tone: 'warning', icon: Clock },
  filed: { text: '已转工单', tone: 'success', icon: Tickets },
  joined: { text: '已并入原工单', tone: 'primary', icon: ChatLineRound },
  declined: { text: '不予受理', tone: 'neutral', icon: CircleClose },
  spam: { text: '垃圾', tone: 'neutral', icon: DeleteFilled },
  ignored: { text: '自动来信', tone: 'neutral', icon: Mute },
}

export const channels: LabelTable<MessageChannel> = {
  mail: { text: '邮件', tone: 'primary', icon: Message },
  wechat: { text: '微信', tone: 'success', icon: ChatLineRound },
  open311: { text: '开放接口', tone: 'neutral', icon: Connection },
}
