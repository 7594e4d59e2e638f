import {
  CircleCheck,
  CircleClose,
  Clock,
  DArrowRight,
  Download,
  Promotion,
  RefreshRight,
  VideoPause,
  WarningFilled,
} from '@element-plus/icons-vue'
import type { LabelTable } from '@/components/types'
import type { Attempt, DeliveryState, Partner, Topic } from './api'

export type Standing = 'active' | 'paused' | 'down' | 'pull'

export const standings: LabelTable<Standing> = {
  active: { text: '推送中', tone: 'success', icon: CircleCheck },
  paused: { text: '已暂停', tone: 'warning', icon: VideoPause },
  down: { text: '连续失败', tone: 'danger', icon: WarningFilled },
  pull: { text: '仅拉取', tone: 'neutral', icon: Download },
}

/** How a partner stands, in one word. */
export function standing(partner: Pick<Partner, 'state' | 'down' | 'url'>): Standing {
  if (partner.url === '') return 'pull'
  if (partner.state === 'paused') return 'paused'
  return partner.down ? 'down' : 'active'
}

/** Whether somebody has to look after a partner: it takes nothing now, or deliveries were given up. */
export const inTrouble = (partner: Pick<Partner, 'state' | 'down' | 'url' | 'dead'>): boolean =>
  partner.dead > 0 || standing(partner) === 'down'

export const deliveryStates: LabelTable<DeliveryState> = {
  queued: { text: '待推送', tone: 'primary', icon: Clock },
  sending: { text: '推送中', tone: 'primary', icon: Promotion },
  delivered: { text: '已送达', tone: 'success', icon: CircleCheck },
  failed: { text: '等待重试', tone: 'warning', icon: RefreshRight },
  dead: { text: '已停止', tone: 'danger', icon: CircleClose },
  skipped: { text: '已跳过', tone: 'neutral', icon: DArrowRight },
  kept: { text: '供拉取', tone: 'neutral', icon: Download },
}

/** A counter that the server bounds: "999+" from there on. */
export const many = (n: number): string => (n >= 1000 ? '999+' : String(n))

/** What a line of the history says. */
export function attemptTitle(a: Attempt): string {
  switch (a.kind) {
    case 'replay':
      return '重新推送'
    case 'skip':
      return '跳过推送'
    case 'lost':
      return `第 ${a.number} 次推送，结果未知`
  }
  return `第 ${a.number} 次推送，${a.ok ? '对方已签收' : '未送达'}`
}

export function attemptNote(a: Attempt): string {
  if (a.kind !== 'push') return a.reason
  const took = `用时 ${a.tookMs < 1000 ? `${a.tookMs} 毫秒` : `${(a.tookMs / 1000).toFixed(1)} 秒`}`
  return [a.reason || (a.status ? `应答 ${a.status}` : ''), took].filter(Boolean).join('，')
}

/** The topics under their headings, in the server's order. */
export function grouped(topics: Topic[]): { group: string; topics: Topic[] }[] {
  const groups = new Map<string, Topic[]>()
  for (const topic of topics) groups.set(topic.group, [...(groups.get(topic.group) ?? []), topic])
  return [...groups].map(([group, list]) => ({ group, topics: list }))
}

/** The words of what was chosen; a name this build's server does not offer any more is shown as it is. */
export const wordsOf = (chosen: string[], known: Map<string, string>): string[] =>
  chosen.map((name) => known.get(name) ?? name)

/** JSON as people read it; anything else as it is. */
export function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}
