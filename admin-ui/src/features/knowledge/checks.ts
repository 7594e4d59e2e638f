import type { Audience, Knowledge, KnowledgeText, SourceKind } from './api'

/** The form's values; days are '2026-11-22', '' for none. */
export interface KnowledgeValues {
  title: string
  question: string
  answer: string
  category: string
  keywords: string[]
  audience: Audience
  unitId: number
  unitIds: number[]
  validFrom: string
  validUntil: string
  sourceKind: SourceKind
  sourceTitle: string
  sourceNumber: string
  change: string
}

export const emptyKnowledge = (): KnowledgeValues => ({
  title: '',
  question: '',
  answer: '',
  category: '',
  keywords: [],
  audience: 'staff',
  unitId: 0,
  unitIds: [],
  validFrom: '',
  validUntil: '',
  sourceKind: 'policy',
  sourceTitle: '',
  sourceNumber: '',
  change: '',
})

/** What is being written of an entry: the new edition, or the only one. */
export function valuesOf(k: Knowledge): KnowledgeValues {
  const d = k.work ?? k.shown
  return {
    title: d.title,
    question: d.question,
    answer: d.answer,
    category: d.category,
    keywords: [...d.keywords],
    audience: d.audience,
    unitId: k.unitId,
    unitIds: d.units.map((u) => u.id),
    validFrom: d.validFrom,
    validUntil: d.validUntil,
    sourceKind: d.source.kind,
    sourceTitle: d.source.title,
    sourceNumber: d.source.number,
    change: d.change,
  }
}

export const textOf = (v: KnowledgeValues): KnowledgeText => ({
  title: v.title,
  question: v.question,
  answer: v.answer,
  category: v.category || undefined,
  keywords: v.keywords,
  audience: v.audience,
  unitIds: v.unitIds,
  validFrom: v.validFrom || undefined,
  validUntil: v.validUntil || undefined,
  sourceKind: v.sourceKind,
  sourceTitle: v.sourceTitle,
  sourceNumber: v.sourceNumber || undefined,
})

/** What keeps an entry from being saved. */
export function checkKnowledge(v: KnowledgeValues): Partial<Record<keyof KnowledgeValues, string>> {
  const found: Partial<Record<keyof KnowledgeValues, string>> = {}
  if (!v.title.trim()) found.title = '请填写标题'
  if (!v.question.trim()) found.question = '请填写企业会怎样问'
  if (!v.answer.trim()) found.answer = '请填写答复内容'
  if (!v.sourceTitle.trim()) found.sourceTitle = '请填写答复的依据'
  if ((v.sourceKind === 'law' || v.sourceKind === 'policy') && !v.sourceNumber.trim()) {
    found.sourceNumber = '法律法规和政策文件请填写文号或条款'
  }
  if (v.audience === 'units' && v.unitIds.length === 0) found.unitIds = '请选择相关单位'
  if (v.validFrom && v.validUntil && v.validUntil < v.validFrom) found.validUntil = '截止日期不能早于起始日期'
  return found
}
