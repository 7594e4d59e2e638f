// The conditions of a policy as a tree that can be edited: what is typed halfway stays, the server says what is wrong.

export type GroupKind = 'all' | 'any' | 'not' | 'atLeast'

/** One clause, as the interface writes it. */
export interface Clause {
  field?: string
  op: string
  value?: unknown
  unit?: string
  of?: string
  label?: string
  quote?: string
  span?: [number, number]
  ends?: string
  on?: string
  within?: number
  /** Of the last so many full years; left out for what is known now. */
  years?: number
  /** How the years are taken together. */
  over?: 'each' | 'any' | 'mean' | 'total'
}

export interface Leaf {
  uid: number
  kind: 'clause'
  clause: Clause
}

export interface Group {
  uid: number
  kind: GroupKind
  k: number
  items: Node[]
}

export type Node = Leaf | Group

let last = 0
const uid = () => ++last

export const isGroup = (n: Node): n is Group => n.kind !== 'clause'

export const newLeaf = (clause: Clause): Leaf => ({ uid: uid(), kind: 'clause', clause })

export const newGroup = (kind: GroupKind, items: Node[] = [], k = 1): Group => ({ uid: uid(), kind, k, items })

type Raw = Record<string, unknown>

function read(raw: unknown): Node {
  const o = (raw !== null && typeof raw === 'object' ? raw : {}) as Raw
  for (const kind of ['all', 'any'] as const) {
    if (Array.isArray(o[kind])) return newGroup(kind, (o[kind] as unknown[]).map(read))
  }
  if (o['not'] !== undefined) {
    const inner = o['not'] as Raw
    const several = Array.isArray(inner?.['any']) ? (inner['any'] as unknown[]) : [inner]
    return newGroup('not', several.map(read))
  }
  const least = o['atLeast'] as Raw | undefined
  if (least) {
    const items = Array.isArray(least['of']) ? (least['of'] as unknown[]).map(read) : []
    return newGroup('atLeast', items, Number(least['k']) || 1)
  }
  return newLeaf({ op: 'human', ...o } as Clause)
}

/** Reads conditions; the outermost is always a group that asks for all of its items. */
export function fromConditions(conditions: unknown): Group {
  if (conditions === null || conditions === undefined) return newGroup('all')
  const root = read(conditions)
  return isGroup(root) && root.kind === 'all' ? root : newGroup('all', [root])
}

export interface Written {
  /** As the server takes it; null without any clause. */
  conditions: unknown
  /** Which node stands at a path of the server's. */
  at: Map<string, number>
}

/** Writes conditions and remembers where each node stands. */
export function toConditions(root: Group): Written {
  const at = new Map<string, number>()
  const write = (n: Node, path: string): unknown => {
    at.set(path, n.uid)
    if (!isGroup(n)) {
      const out: Raw = {}
      for (const [key, value] of Object.entries(n.clause)) {
        if (value !== undefined && value !== '' && !(key === 'ends' && value === '[]')) out[key] = value
      }
      return out
    }
    switch (n.kind) {
      case 'atLeast':
        return { atLeast: { k: n.k, of: n.items.map((x, i) => write(x, `${path}.atLeast.of[${i}]`)) } }
      case 'not': {
        const only = n.items[0]
        if (n.items.length === 1 && only) return { not: write(only, `${path}.not`) }
        at.set(`${path}.not`, n.uid)
        return { not: { any: n.items.map((x, i) => write(x, `${path}.not.any[${i}]`)) } }
      }
    }
    return { [n.kind]: n.items.map((x, i) => write(x, `${path}.${n.kind}[${i}]`)) }
  }
  if (root.items.length === 0) return { conditions: null, at: new Map([['condition', root.uid]]) }
  return { conditions: write(root, 'condition'), at }
}

/** The group a node stands in, and where; undefined for the outermost. */
export function placeOf(root: Group, id: number): { group: Group; index: number } | undefined {
  for (const [index, item] of root.items.entries()) {
    if (item.uid === id) return { group: root, index }
    if (isGroup(item)) {
      const found = placeOf(item, id)
      if (found) return found
    }
  }
  return undefined
}

export function findNode(root: Group, id: number): Node | undefined {
  if (root.uid === id) return root
  const place = placeOf(root, id)
  return place?.group.items[place.index]
}

/** All nodes in the order in which they are shown. */
export function inOrder(root: Group): Node[] {
  return root.items.flatMap((n) => (isGroup(n) ? [n, ...inOrder(n)] : [n]))
}

/** Takes a node out; the node whose turn it is now, if there is one. */
export function removeNode(root: Group, id: number): number | undefined {
  const place = placeOf(root, id)
  if (!place) return undefined
  place.group.items.splice(place.index, 1)
  const next = place.group.items[place.index] ?? place.group.items[place.index - 1]
  return next?.uid ?? (place.group.uid === root.uid ? undefined : place.group.uid)
}

/** Moves a node one place, into the group it meets and out of its own at the end. */
export function moveNode(root: Group, id: number, down: boolean): boolean {
  const place = placeOf(root, id)
  if (!place) return false
  const { group, index } = place
  const node = group.items[index]!
  const beside = group.items[index + (down ? 1 : -1)]
  if (beside && isGroup(beside)) {
    group.items.splice(index, 1)
    if (down) beside.items.unshift(node)
    else beside.items.push(node)
    return true
  }
  if (beside) {
    group.items.splice(index, 1)
    group.items.splice(index + (down ? 1 : -1), 0, node)
    return true
  }
  const outer = placeOf(root, group.uid)
  if (!outer) return false
  group.items.splice(index, 1)
  outer.group.items.splice(outer.index + (down ? 1 : 0), 0, node)
  return true
}

/** Puts a node into a group of its own, with the kind given. */
export function wrapNode(root: Group, id: number, kind: GroupKind): Group | undefined {
  const place = placeOf(root, id)
  if (!place) return undefined
  const group = newGroup(kind, [place.group.items[place.index]!])
  place.group.items.splice(place.index, 1, group)
  return group
}

/** A bound that depends on another field: small companies 1000, medium ones 5000. Written as alternatives. */
export function tierGroup(by: Clause, tiers: { codes: string[]; value: string }[], leaf: Clause): Group {
  return newGroup(
    'any',
    tiers.map((t) =>
      newGroup('all', [
        newLeaf({ ...by, value: t.codes, quote: leaf.quote, span: leaf.span }),
        newLeaf({ ...leaf, value: t.value }),
      ]),
    ),
  )
}

/** Characters of a text as the server counts them: a span is in code points. */
export const charsOf = (text: string) => Array.from(text)

/** The characters [from, to) of code units as code points. */
export function spanOf(text: string, from: number, to: number): [number, number] {
  const before = charsOf(text.slice(0, from)).length
  return [before, before + charsOf(text.slice(from, to)).length]
}
