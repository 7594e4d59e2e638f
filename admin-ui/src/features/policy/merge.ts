import { toRaw } from 'vue'
import type { Content } from './library'

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null)

export interface Merged {
  content: Content
  /** Parts that both changed; `content` holds mine. */
  conflicts: (keyof Content)[]
}

/**
 * Puts what two people typed on the same draft together: a part that only one of them changed is theirs; a part that both
 * changed is named, and one of them chooses. Nothing is lost.
 */
export function merge(base: Content, mine: Content, theirs: Content): Merged {
  const content = structuredClone(toRaw(mine))
  const conflicts: (keyof Content)[] = []
  for (const key of Object.keys({ ...base, ...mine, ...theirs }) as (keyof Content)[]) {
    if (same(mine[key], base[key])) Object.assign(content, { [key]: theirs[key] })
    else if (!same(theirs[key], base[key]) && !same(theirs[key], mine[key])) conflicts.push(key)
  }
  return { content, conflicts }
}

/** What a part is called. */
export const partNames: Record<keyof Content, string> = {
  title: '标题',
  docNumber: '文号',
  issuer: '发布机构',
  level: '政策层级',
  topic: '政策主题',
  kinds: '支持方式',
  region: '适用区域',
  publishedOn: '发布日期',
  effectiveOn: '施行日期',
  opensOn: '申报开始日期',
  closesOn: '申报截止日期',
  expiresOn: '失效日期',
  text: '正文',
  interpretation: '政策解读',
  faq: '常见问题',
  materials: '申报材料',
  benefit: '支持内容',
  benefits: '支持标准',
  capFen: '支持上限',
  handlerId: '主管部门',
  handlerName: '主管部门',
  link: '原文链接',
  fileIds: '附件',
  conditions: '申报条件',
}
