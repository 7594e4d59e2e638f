import { computed, onBeforeUnmount, reactive, ref, shallowRef, toRaw, watch } from 'vue'
import { useRoute, useRouter, type LocationQuery } from 'vue-router'
import { isAborted, toApiError, type ApiError, type Page } from '@/api/client'
import type { Chip, Column, ViewState } from '@/components/types'
import { useLive } from './useLive'
import { useStored } from './useStored'

export type FilterValue = string | string[]
export type FilterValues = Record<string, FilterValue>

/** How one filter reads in its chip. */
export interface FilterLabel {
  label: string
  /** The chip's text for a value; the value itself when left out. */
  text?: (value: string) => string
}

export interface PagedTableOptions<T, F extends FilterValues> {
  /** Names the saved column choice and page size: 'ticket.list'. */
  key: string
  /** Filter names and their values when nothing is chosen ('' or []). Names must not be `cursor`, `prev` or `open`. */
  filters: F
  labels?: Partial<Record<keyof F & string, FilterLabel>>
  columns: Column[]
  load: (query: { filters: F; cursor: string | undefined; limit: number; signal: AbortSignal }) => Promise<Page<T>>
  rowId: (row: T) => number | string
  /** The kind of object the rows are, as the server names it: the list is fetched anew when one has changed. */
  live?: string
}

const one = (v: LocationQuery[string] | undefined): string => (Array.isArray(v) ? (v[0] ?? '') : (v ?? ''))

/**
 * A list with keyset paging. Filters, cursor and the open row live in the address, so that they survive reload, back and
 * sharing; columns and page size are kept in the browser.
 */
export function usePagedTable<T extends object, F extends FilterValues>(options: PagedTableOptions<T, F>) {
  const route = useRoute()
  const router = useRouter()
  const home = route.name

  const filters = reactive(structuredClone(options.filters)) as F
  const items = shallowRef<T[]>([])
  const loading = ref(false)
  const loaded = ref(false)
  const error = shallowRef<ApiError | null>(null)
  const nextCursor = ref('')
  const note = ref('')
  const selected = shallowRef<T[]>([])
  const active = ref(-1)
  /** Cursors of the pages before this one; lost on reload, then only the first page can be gone back to. */
  const trail = ref<string[]>([])

  const limit = useStored<number>(`${options.key}.limit`, 20, (v): v is number => v === 20 || v === 50 || v === 100)
  const visibleColumns = useStored<string[]>(
    `${options.key}.columns`,
    options.columns.filter((c) => !c.hidden).map((c) => c.key),
    (v): v is string[] => Array.isArray(v) && v.length > 0 && v.every((k) => options.columns.some((c) => c.key === k)),
  )
  const columns = computed(() => options.columns.filter((c) => c.fixed || visibleColumns.value.includes(c.key)))

  const cursor = computed(() => one(route.query['cursor']))
  const openId = computed(() => one(route.query['open']))

  function read(query: LocationQuery): void {
    for (const name of Object.keys(options.filters)) {
      const raw = query[name]
      const value = Array.isArray(options.filters[name])
        ? (Array.isArray(raw) ? raw : raw == null ? [] : [raw]).filter((v): v is string => !!v)
        : one(raw)
      const initial = options.filters[name]!
      ;(filters as FilterValues)[name] = raw === undefined ? structuredClone(initial) : value
    }
  }

  function same(a: FilterValue, b: FilterValue): boolean {
    return JSON.stringify(a) === JSON.stringify(b)
  }

  /** The address's query for these filters; only what differs from the default, and whatever is not ours. */
  function query(extra: { cursor?: string; open?: string }): Record<string, string | string[]> {
    const q: Record<string, string | string[]> = {}
    for (const [name, value] of Object.entries(filters)) {
      const trimmed = typeof value === 'string' ? value.trim() : value
      if (!same(trimmed, options.filters[name]!)) q[name] = Array.isArray(trimmed) ? [...trimmed] : trimmed
    }
    if (extra.cursor) q['cursor'] = extra.cursor
    if (extra.open) q['open'] = extra.open
    return q
  }

  let abort: AbortController | undefined
  /** Fetches the page. A quiet one shows nothing of it but new rows: nobody asked for it. */
  async function reload(quiet = false): Promise<void> {
    abort?.abort()
    const mine = (abort = new AbortController())
    loading.value = !quiet
    try {
      const page = await options.load({
        filters: structuredClone(toRaw(filters)) as F,
        cursor: cursor.value || undefined,
        limit: limit.value,
        signal: mine.signal,
      })
      if (mine !== abort) return
      items.value = page.items
      nextCursor.value = page.nextCursor ?? ''
      note.value = page.note ?? ''
      error.value = null
      loaded.value = true
      selected.value = []
      active.value = page.items.findIndex((row) => String(options.rowId(row)) === openId.value)
    } catch (e) {
      if (mine !== abort || isAborted(e) || quiet) return
      error.value = toApiError(e)
    } finally {
      if (mine === abort) loading.value = false
    }
  }

  const state = computed<ViewState>(() => {
    if (error.value) return error.value.status === 403 ? 'forbidden' : 'error'
    if (!loaded.value) return 'loading'
    return items.value.length === 0 ? 'empty' : 'ready'
  })

  /** Puts the filters into the address, first page; asks again when nothing changed. */
  async function apply(): Promise<void> {
    trail.value = []
    const before = route.fullPath
    await router.replace({ query: query({}) })
    if (route.fullPath === before) await reload()
  }

  function reset(): Promise<void> {
    Object.assign(filters, structuredClone(options.filters))
    return apply()
  }

  const chips = computed<Chip[]>(() =>
    Object.entries(options.filters).flatMap(([name, initial]) => {
      const label = options.labels?.[name]
      const value = applied.value[name]
      if (!label || value === undefined || same(value, initial)) return []
      return (Array.isArray(value) ? value : [value]).map((v) => ({
        key: name,
        value: v,
        label: label.label,
        text: label.text?.(v) ?? v,
      }))
    }),
  )

  function removeChip(chip: Chip): Promise<void> {
    const value = filters[chip.key]
    ;(filters as FilterValues)[chip.key] = Array.isArray(value)
      ? value.filter((v) => v !== chip.value)
      : structuredClone(options.filters[chip.key]!)
    return apply()
  }

  async function next(): Promise<void> {
    if (!nextCursor.value || loading.value) return
    trail.value = [...trail.value, cursor.value]
    await router.push({ query: query({ cursor: nextCursor.value }) })
  }

  async function prev(): Promise<void> {
    if (!cursor.value || loading.value) return
    const before = trail.value.at(-1) ?? ''
    trail.value = trail.value.slice(0, -1)
    await router.push({ query: query({ cursor: before }) })
  }

  /** Opens a row's side panel; the address names the row. */
  async function open(row: T): Promise<void> {
    active.value = items.value.indexOf(row)
    await router.replace({ query: query({ cursor: cursor.value, open: String(options.rowId(row)) }) })
  }

  async function close(): Promise<void> {
    await router.replace({ query: query({ cursor: cursor.value }) })
  }

  // What is applied is what the address says, not what is being typed.
  const applied = shallowRef<FilterValues>({})
  const listed = computed(() => JSON.stringify({ ...route.query, open: undefined }))
  watch(
    listed,
    () => {
      if (route.name !== home) return
      read(route.query)
      applied.value = structuredClone(toRaw(filters)) as FilterValues
      if (!cursor.value) trail.value = []
      void reload()
    },
    { immediate: true },
  )
  watch(limit, () => void apply())
  if (options.live) {
    // Rows that are chosen, and a page that is on its way, are not pulled away from under the hand.
    useLive({ object: options.live }, () => {
      if (loaded.value && !loading.value && selected.value.length === 0) void reload(true)
    })
  }
  onBeforeUnmount(() => abort?.abort())

  // reactive, so that a template writes table.state and v-model="table.limit" without .value
  return reactive({
    filters,
    items,
    state,
    error,
    loading,
    note,
    chips,
    columns,
    allColumns: options.columns,
    visibleColumns,
    limit,
    selected,
    active,
    openId,
    hasNext: computed(() => nextCursor.value !== ''),
    hasPrev: computed(() => cursor.value !== ''),
    apply,
    reset,
    reload: () => reload(),
    removeChip,
    next,
    prev,
    open,
    close,
    rowId: options.rowId,
  })
}
