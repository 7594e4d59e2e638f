import type { Canned, Holder } from './api'

export const holders: Record<Holder, string> = { personal: '个人', unit: '本单位', desk: '平台' }

/** A code that is being typed: where its slash stands, and what follows it up to the caret. */
export interface Typed {
  at: number
  code: string
}

/** Finds “/code” before the caret. A slash within an address or between numbers begins none. */
export function typedBefore(text: string, caret: number): Typed | null {
  const m = /(^|[^A-Za-z0-9/:.])\/([A-Za-z0-9\u4e00-\u9fff]{0,20})$/.exec(text.slice(0, caret))
  return m ? { at: caret - m[2]!.length - 1, code: m[2]!.toLowerCase() } : null
}

/** The phrases that a code may mean: by code first, then by name and category, in the order they came. */
export function matching(list: Canned[], code: string): Canned[] {
  if (code === '') return list
  const byCode = list.filter((c) => c.code.startsWith(code))
  const byName = list.filter((c) => !byCode.includes(c) && `${c.title}\n${c.category}`.toLowerCase().includes(code))
  return [...byCode, ...byName]
}

/** The text with the phrase in place of what was typed, and where the caret then stands. */
export function put(text: string, typed: Typed, phrase: string): { text: string; caret: number } {
  const end = typed.at + 1 + typed.code.length
  return { text: text.slice(0, typed.at) + phrase + text.slice(end), caret: typed.at + phrase.length }
}
