// Types the dumb components share with the composables that feed them.
import type { Component } from 'vue'

/** What a list or detail shows instead of, or as, its content. */
export type ViewState = 'loading' | 'ready' | 'empty' | 'error' | 'forbidden' | 'notfound'

/** What went wrong, as far as a component shows it; ApiError fits. */
export interface Fault {
  message: string
  traceId?: string
}

export interface Column {
  key: string
  label: string
  width?: number
  minWidth?: number
  align?: 'left' | 'right' | 'center'
  /** Always shown: it cannot be unchosen. */
  fixed?: boolean
  /** Not shown until chosen. */
  hidden?: boolean
}

/** One chosen filter, shown above the table and removed by a click. */
export interface Chip {
  key: string
  value: string
  label: string
  text: string
}

export type Tone = 'primary' | 'success' | 'warning' | 'danger' | 'neutral'

export interface Label {
  text: string
  tone: Tone
  icon: Component
}

/** Words, colours and icons of one enum: `const ticketStatus: LabelTable<Status> = {…}`; once per feature, in labels.ts. */
export type LabelTable<K extends string = string> = Record<K, Label>

export interface TimelineEntry {
  id: string | number
  /** RFC 3339, UTC. */
  at: string
  title: string
  actor?: string
  note?: string
  tone?: Tone
  icon?: Component
}

export interface FileItem {
  id: number
  name: string
  size: number
  mime?: string
  url: string
  /** What is not available cannot be downloaded; see fileStates. */
  state?: string
}

export interface UploadItem {
  uid: number
  name: string
  size: number
  /** 0 to 1. */
  progress: number
  status: 'sending' | 'done' | 'failed'
  message: string
  retryable?: boolean
  /** Sent, and waiting for the virus scanner; it may be handed in. */
  waiting?: boolean
  id?: number
  url?: string
  mime?: string
}

export interface DescriptionItem {
  key: string
  label: string
  /** Shown as it is; a slot named after the key overrides it. */
  value?: string | number | null
  /** Takes the whole row. */
  wide?: boolean
}

export interface PaletteItem {
  id: string
  title: string
  group: string
  keywords?: string
}

/** A piece of a longer text as the server divides it; text is text, nothing in it is markup. */
export interface Block {
  kind: 'paragraph' | 'heading' | 'list' | 'steps'
  spans?: BlockSpan[] | null
  items?: (BlockSpan[] | null)[] | null
  /** Number of the first step. */
  start?: number
}

export interface BlockSpan {
  text: string
  url?: string
}

/** What usePagedTable returns, as far as the page draws it. */
export interface TableModel<Row> {
  items: Row[]
  state: ViewState
  error: Fault | null
  loading: boolean
  note?: string
  chips: Chip[]
  columns: Column[]
  allColumns: Column[]
  visibleColumns: string[]
  limit: number
  selected: Row[]
  active: number
  openId: string
  hasNext: boolean
  hasPrev: boolean
  apply: () => Promise<void>
  reset: () => Promise<void>
  reload: () => Promise<void>
  removeChip: (chip: Chip) => Promise<void>
  next: () => Promise<void>
  prev: () => Promise<void>
  open: (row: Row) => Promise<void>
  close: () => Promise<void>
  rowId: (row: Row) => number | string
}
