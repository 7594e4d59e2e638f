import { computed, nextTick, reactive, ref, shallowRef, toRaw, watch, type InjectionKey, type Ref } from 'vue'
import { isAborted, toApiError } from '@/api/client'
import { forField } from './clauseWords'
import {
  findNode,
  fromConditions,
  inOrder,
  isGroup,
  moveNode,
  newGroup,
  newLeaf,
  placeOf,
  removeNode,
  toConditions,
  type Clause,
  type Group,
  type Node,
} from './conditionTree'
import { checkConditions, type Checked, type FieldInfo, type Proposed, type Quote } from './library'

export interface Source {
  title: string
  issuer: string
  text: string
}

const depth = 100

/**
 * The builder of conditions over one text: the tree, its selection, what the server says of it, and the way back. `value` is
 * written with every change.
 */
export function useConditions(
  value: Ref<unknown>,
  source: () => Source,
  fields: Ref<FieldInfo[]>,
  editable: Ref<boolean>,
  /** There is no text that clauses rest on. */
  plain = false,
) {
  const root = ref<Group>(fromConditions(value.value)) as Ref<Group>
  const selected = ref(0)
  const picking = ref(0)
  const shown = ref(0)
  const checked = shallowRef<Checked | null>(null)
  const failed = ref('')
  const past = ref<string[]>([])
  const future = ref<string[]>([])
  let lastTag = ''
  let abort: AbortController | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  const written = computed(() => toConditions(root.value))
  const known = computed(() => new Map(fields.value.map((f) => [f.name, f])))
  const complaints = computed(() => {
    const out = new Map<number, string[]>()
    for (const p of checked.value?.problems ?? []) {
      const id = written.value.at.get(p.path) ?? root.value.uid
      out.set(id, [...(out.get(id) ?? []), p.message])
    }
    return out
  })
  const quotes = computed(() => {
    const out = new Map<number, Quote>()
    for (const q of checked.value?.quotes ?? []) {
      const id = written.value.at.get(q.path)
      if (id !== undefined) out.set(id, q)
    }
    return out
  })

  const snapshot = () => JSON.stringify(toRaw(root.value))

  /** Does something to the tree; changes with the same tag in a row are one step back. */
  function change(does: () => void, tag = ''): void {
    if (!editable.value) return
    if (tag === '' || tag !== lastTag) {
      past.value = [...past.value, snapshot()].slice(-depth)
      future.value = []
    }
    lastTag = tag
    does()
    write()
  }

  function write(): void {
    const next = written.value.conditions
    if (JSON.stringify(next ?? null) !== JSON.stringify(value.value ?? null)) value.value = next
    check()
  }

  function back(from: Ref<string[]>, to: Ref<string[]>): void {
    const last = from.value.at(-1)
    if (last === undefined || !editable.value) return
    to.value = [...to.value, snapshot()]
    from.value = from.value.slice(0, -1)
    root.value = JSON.parse(last) as Group
    lastTag = ''
    write()
  }
  const undo = () => back(past, future)
  const redo = () => back(future, past)

  function focus(id: number): void {
    selected.value = id
    void nextTick(() => document.querySelector<HTMLElement>(`[data-node="${id}"]`)?.focus())
  }

  function insert(node: Node, beside?: Group): void {
    const place = placeOf(root.value, selected.value)
    if (beside) beside.items.push(node)
    else if (place) place.group.items.splice(place.index + 1, 0, node)
    else root.value.items.push(node)
  }

  /** Where nothing is left to people a clause begins with the first field. */
  const begun = (): Clause => {
    const first = plain ? fields.value.find((f) => f.kind === 'count') : undefined
    return first ? forField({ op: 'human' }, first) : { op: 'human' }
  }

  function add(into?: Group, clause: Clause = begun()): void {
    const node = newLeaf(clause)
    change(() => insert(node, into))
    focus(node.uid)
  }

  function addGroup(into?: Group): void {
    const node = newGroup('any')
    change(() => insert(node, into))
    focus(node.uid)
  }

  function remove(node: Node): void {
    let next: number | undefined
    change(() => (next = removeNode(root.value, node.uid)))
    focus(next ?? 0)
  }

  function move(node: Node, down: boolean): void {
    change(() => moveNode(root.value, node.uid, down))
    focus(node.uid)
  }

  /** Takes what the text proposes, as it is or for a person to judge. */
  function accept(p: Proposed, asHuman = false): void {
    const span: [number, number] = [p.span.start, p.span.end]
    const read = asHuman ? null : fromConditions(p.condition).items[0]
    const node = read ?? newLeaf({ op: 'human', label: p.quote, quote: p.quote, span })
    change(() => root.value.items.push(node))
    drop(span)
    focus(node.uid)
  }

  /** What was just taken is no longer proposed; the server says so a moment later. */
  function drop(span: [number, number]): void {
    const now = checked.value
    if (!now) return
    const other = (x: { span: { start: number; end: number } }) => x.span.start !== span[0] || x.span.end !== span[1]
    checked.value = { ...now, proposals: now.proposals.filter(other), uncovered: now.uncovered.filter(other) }
  }

  /** Ties the clause being picked for to words of the text. */
  function quoteFrom(quote: string, span: [number, number]): void {
    const node = findNode(root.value, picking.value || selected.value)
    if (!node || isGroup(node)) {
      change(() => root.value.items.push(newLeaf({ op: 'human', label: quote, quote, span })))
      return
    }
    change(() => (node.clause = { ...node.clause, quote, span }))
    picking.value = 0
  }

  /** Leaves a sentence to people to judge. */
  function forPeople(text: string, span: { start: number; end: number }): void {
    picking.value = 0
    selected.value = 0
    quoteFrom(text, [span.start, span.end])
    drop([span.start, span.end])
  }

  function key(event: KeyboardEvent, node: Node): void {
    const ctrl = event.ctrlKey || event.metaKey
    const order = inOrder(root.value)
    const at = order.findIndex((n) => n.uid === node.uid)
    const act: Record<string, () => void> = ctrl
      ? { ArrowUp: () => move(node, false), ArrowDown: () => move(node, true), z: undo, y: redo }
      : {
          ArrowUp: () => order[at - 1] && focus(order[at - 1]!.uid),
          ArrowDown: () => order[at + 1] && focus(order[at + 1]!.uid),
          Delete: () => remove(node),
          Backspace: () => remove(node),
          a: () => add(isGroup(node) ? node : undefined),
          g: () => addGroup(isGroup(node) ? node : undefined),
          q: () => (picking.value = node.uid),
        }
    const does = act[event.key]
    if (!does) return
    event.preventDefault()
    event.stopPropagation()
    does()
  }

  /** Asks the server what is wrong, where the quotes stand, and what the text still asks. */
  function check(wait = 500): void {
    clearTimeout(timer)
    timer = setTimeout(async () => {
      abort?.abort()
      const mine = (abort = new AbortController())
      try {
        const result = await checkConditions({ ...source(), conditions: written.value.conditions }, mine.signal)
        if (mine === abort) checked.value = result
        failed.value = ''
      } catch (e) {
        if (!isAborted(e) && mine === abort) failed.value = toApiError(e).message
      }
    }, wait)
  }

  watch(value, (next) => {
    if (JSON.stringify(next ?? null) === JSON.stringify(written.value.conditions ?? null)) return
    root.value = fromConditions(next) // somebody else's words, or another draft
    past.value = []
    future.value = []
    check(0)
  })
  watch(source, () => check(), { deep: true })
  check(0)

  return reactive({
    root,
    selected,
    picking,
    shown,
    checked,
    failed,
    known,
    fields,
    editable,
    plain,
    complaints,
    quotes,
    written,
    canUndo: computed(() => past.value.length > 0),
    canRedo: computed(() => future.value.length > 0),
    change,
    undo,
    redo,
    add,
    addGroup,
    remove,
    move,
    accept,
    quoteFrom,
    forPeople,
    key,
    select: (id: number) => (selected.value = id),
    pick: (id: number) => (picking.value = id),
    show: (id: number) => (shown.value = id),
    stop: () => (clearTimeout(timer), abort?.abort()),
  })
}

export type Builder = ReturnType<typeof useConditions>
export const builderKey: InjectionKey<Builder> = Symbol('conditions')
