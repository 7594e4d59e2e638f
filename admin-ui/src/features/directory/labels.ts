import type { Board, Line, Problem, Suggestion, Version } from './api'

export const versionStates: Record<Version['state'], string> = {
  valid: '现行',
  planned: '待生效',
  over: '已失效',
  taken_back: '已撤回',
}

export const problemKinds: Record<Problem['kind'], string> = {
  gap: '缺口',
  unit_gone: '单位撤销',
  matter: '事项停用',
  ends: '即将到期',
  needless: '重复',
  overlap: '冲突',
}

export const whys: Record<Suggestion['why'], string> = {
  exact: '目录',
  area: '目录（全区）',
  group: '目录（上级事项）',
  experience: '经验，仅供参考',
  nothing: '没有建议',
}

export interface Filters {
  q: string
  area: string
  unit: string
  state: string
}

/** The lines that the filters keep; area 'district' is the whole district. */
export function filtered(lines: Line[], f: Filters): Line[] {
  const q = f.q.trim()
  return lines.filter((l) => {
    const now = l.valid ?? l.planned
    if (q && !`${l.matter}${l.matterName}${now?.leadName ?? ''}${l.areaName}`.includes(q)) return false
    if (f.area && l.area !== (f.area === 'district' ? '' : f.area)) return false
    if (f.unit && ![now?.leadId, ...(now?.helpers.map((h) => h.id) ?? [])].includes(Number(f.unit))) return false
    if (f.state === 'problem') return l.problems.length > 0
    if (f.state === 'planned') return !!l.planned
    if (f.state === 'over') return !now
    return f.state === 'all' || !!now
  })
}

export const helperNames = (v: Version | undefined): string => v?.helpers.map((h) => h.name).join('、') || '—'

/** The matters for a select, groups before their types; depth says how far each is drawn in. */
export function matterOptions(list: Board['matters']): { value: string; label: string; depth: number }[] {
  const depth = (code: string) => (code.endsWith('0000') ? 0 : code.endsWith('00') ? 1 : 2)
  return list.map((m) => ({ value: m.code, label: m.name, depth: depth(m.code) }))
}
