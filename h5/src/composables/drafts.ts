const prefix = 'huiqi.draft.'

export interface Draft {
  values: Record<string, unknown>
  key: string
}

export function readDraft(name: string): Draft | null {
  try {
    const saved: unknown = JSON.parse(sessionStorage.getItem(prefix + name) ?? 'null')
    if (typeof saved !== 'object' || saved === null) return null
    const { values, key } = saved as Partial<Draft>
    return typeof values === 'object' && values !== null && typeof key === 'string' ? { values, key } : null
  } catch {
    return null
  }
}

/** Reports whether the draft is safe now; storage may be full or switched off. */
export function writeDraft(name: string, draft: Draft): boolean {
  try {
    sessionStorage.setItem(prefix + name, JSON.stringify(draft))
    return true
  } catch {
    return false
  }
}

export function clearDraft(name: string): void {
  try {
    sessionStorage.removeItem(prefix + name)
  } catch {
    // nothing was kept, then
  }
}

/** Drops every draft, so that the next person on this phone sees none of them. */
export function clearDrafts(): void {
  try {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith(prefix)) sessionStorage.removeItem(key)
    }
  } catch {
    // nothing was kept, then
  }
}
