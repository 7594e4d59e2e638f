import { CircleCheck, EditPen, Hide, Stamp, Timer } from '@element-plus/icons-vue'
import type { LabelTable, Tone } from '@/components/types'
import { date } from '@/format'
import type {
  Audience,
  EditionState,
  Knowledge,
  KnowledgeItem,
  KnowledgeStatus,
  Options,
  SourceKind,
  Todo,
} from './api'

export const audiences: Record<Audience, string> = { public: '公开', staff: '内部', units: '仅相关单位' }

export const sourceKinds: Record<SourceKind, string> = {
  law: '法律法规',
  policy: '政策文件',
  guide: '办事指南',
  practice: '部门答复口径',
}

/** An entry in force whose time is over or has not come, or beside which a new edition is made, reads differently from one that is found. */
export type Standing = KnowledgeStatus | 'over' | 'coming' | 'revising' | 'checking'

export const standings: LabelTable<Standing> = {
  draft: { text: '草稿', tone: 'neutral', icon: EditPen },
  review: { text: '待审核', tone: 'warning', icon: Stamp },
  published: { text: '已发布', tone: 'success', icon: CircleCheck },
  withdrawn: { text: '已撤下', tone: 'neutral', icon: Hide },
  over: { text: '待复核', tone: 'danger', icon: Timer },
  coming: { text: '未到生效日', tone: 'primary', icon: Timer },
  revising: { text: '已发布，修订中', tone: 'success', icon: EditPen },
  checking: { text: '已发布，修订待审核', tone: 'warning', icon: Stamp },
}

export function standingOf(k: Pick<KnowledgeItem, 'status' | 'live' | 'over' | 'coming'>): Standing {
  if (!k.live) return k.status
  if (k.over) return 'over'
  if (k.status === 'draft') return 'revising'
  if (k.status === 'review') return 'checking'
  return k.coming ? 'coming' : k.status
}

/** What the list can be narrowed to. */
export const states: Record<string, string> = {
  published: '已发布',
  review: '待审核',
  draft: '草稿',
  over: '待复核',
  reported: '有误待核实',
  withdrawn: '已撤下',
}

export const editionStates: Record<EditionState, string> = {
  draft: '草稿',
  review: '待审核',
  live: '现行',
  replaced: '已被替代',
  discarded: '已放弃',
  withdrawn: '已撤下',
}

export const outcomes: Record<string, string> = { corrected: '已更正', kept: '核实无误' }

export const todoKinds: Record<Todo['kind'], { text: string; tone: 'danger' | 'warning' | 'primary' | 'info' }> = {
  report: { text: '有误待核实', tone: 'danger' },
  review: { text: '待审核', tone: 'warning' },
  over: { text: '待复核', tone: 'danger' },
  soon: { text: '即将到期', tone: 'warning' },
  returned: { text: '退回修改', tone: 'primary' },
}

/** What a line of the to-do list says beside the title. */
export function todoText(t: Todo): string {
  if (t.kind === 'over') return `有效期至 ${date(t.text)}，已到期`
  if (t.kind === 'soon') return `有效期至 ${date(t.text)}`
  return t.text
}

const tones: Record<string, Tone> = {
  'knowledge.published': 'success',
  'knowledge.confirmed': 'success',
  'knowledge.submitted': 'primary',
  'knowledge.returned': 'warning',
  'knowledge.withdrawn': 'warning',
  'knowledge.reported': 'danger',
}

/** The colour of a line of the history. */
export const momentTone = (kind: string): Tone => tones[kind] ?? 'neutral'

/** 名称（文号） */
export const sourceText = (s: { kind: SourceKind; title: string; number: string }): string =>
  `${s.title}${s.number ? `（${s.number}）` : ''}`

export const validText = (k: { validFrom: string; validUntil: string }): string =>
  k.validUntil
    ? `${k.validFrom ? date(k.validFrom) : '发布之日'}至${date(k.validUntil)}`
    : `${k.validFrom ? date(k.validFrom) : '发布之日'}起长期有效`

/** The heading over the reason: what came back, or what was taken down while the next edition is written. */
export function reasonTitle(k: Pick<Knowledge, 'status' | 'timeline'>): string {
  const last = k.timeline.findLast((m) => m.kind === 'knowledge.returned' || m.kind === 'knowledge.withdrawn')
  return k.status === 'withdrawn' || last?.kind === 'knowledge.withdrawn' ? '撤下原因' : '退回原因'
}

/** A new edition beside the one in force, by how far it is. */
export const workText = (k: Pick<Knowledge, 'status' | 'reason'>): string =>
  k.status === 'review' ? '待审核' : k.reason ? '已退回' : '修订中'

/** The matters for a select, groups before their types; depth says how far each is drawn in. */
export function matterOptions(list: Options['matters']): { value: string; label: string; depth: number }[] {
  const depth = (code: string) => (code.endsWith('0000') ? 0 : code.endsWith('00') ? 1 : 2)
  return list.map((m) => ({ value: m.code, label: m.name, depth: depth(m.code) }))
}
