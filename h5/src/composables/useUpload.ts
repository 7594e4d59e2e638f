import { computed, getCurrentScope, onScopeDispose, reactive, ref } from 'vue'

import { fileState, uploadFile, type StoredFile } from '@/api/client'
import { asApiError, type ErrorKind } from '@/api/error'

import { uuid } from './uuid'

export interface UploadItem {
  key: string
  name: string
  size: number
  state: 'sending' | 'done' | 'failed'
  /** 0 to 1. */
  progress: number
  message: string
  /** Failed by no fault of the file: it may be sent again. */
  again?: boolean
  /** Sent, and waiting for the virus scanner; it may be handed in. */
  waiting?: boolean
  stored: StoredFile | null
}

export interface UploadOptions {
  purpose: string
  /** File name endings, lower case with the dot: ".pdf". */
  accept: string[]
  maxBytes: number
  maxFiles: number
}

/** Faults that pass; anything else the server would say again of the same file. */
const passing: ErrorKind[] = ['network', 'too_many', 'unavailable', 'internal']

const megabytes = (bytes: number) => `${Math.floor(bytes / 1024 / 1024)} MB`

/** How long until the scanner is asked again, in milliseconds. */
export const askAgain = 10_000

const quarantined = '文件含有病毒，已被隔离，请删除后重新选择'

/** What speaks against sending this file at all; empty when nothing does. */
export function whyNot(file: { name: string; size: number }, options: UploadOptions): string {
  const name = file.name.toLowerCase()
  if (!options.accept.some((ending) => name.endsWith(ending))) {
    return `“${file.name}”的格式不支持，请上传 ${options.accept.map((e) => e.slice(1)).join('、')} 文件。`
  }
  if (file.size === 0) return `“${file.name}”是空文件，请重新选择。`
  if (file.size > options.maxBytes) {
    return `“${file.name}”超过 ${megabytes(options.maxBytes)}，请压缩后再上传。`
  }
  return ''
}

/** Files of a form: checked before they are sent, each with its own progress and its own second try. */
export function useUpload(options: UploadOptions) {
  const items = ref<UploadItem[]>([])
  const problem = ref('')
  const sources = new Map<string, File>()

  const busy = computed(() => items.value.some((item) => item.state === 'sending'))
  const ids = computed(() => items.value.flatMap((item) => (item.stored ? [item.stored.id] : [])))

  async function send(item: UploadItem): Promise<void> {
    const source = sources.get(item.key)
    if (!source) return
    Object.assign(item, { state: 'sending', progress: 0, message: '' })
    try {
      item.stored = await uploadFile(source, options.purpose, (fraction) => (item.progress = fraction))
      item.state = 'done'
      item.waiting = item.stored.state === 'waiting'
      if (item.waiting) watch()
    } catch (thrown) {
      const { kind, message } = asApiError(thrown)
      Object.assign(item, { state: 'failed', message, again: passing.includes(kind) })
    }
  }

  let timer: ReturnType<typeof setInterval> | undefined
  function watch(): void {
    timer ??= setInterval(() => void look(), askAgain)
  }
  function rest(): void {
    clearInterval(timer)
    timer = undefined
  }
  if (getCurrentScope()) onScopeDispose(rest)

  /** Asks what became of the files that wait for the scanner. */
  async function look(): Promise<void> {
    const waiting = items.value.filter((item) => item.waiting)
    if (waiting.length === 0) rest()
    for (const item of waiting) {
      const state = item.stored ? await fileState(item.stored.id).catch(() => 'waiting') : 'available'
      if (state === 'waiting') continue
      item.waiting = false
      if (state === 'quarantined') {
        Object.assign(item, { state: 'failed', again: false, stored: null, message: quarantined })
      }
    }
  }

  async function add(files: File[]): Promise<void> {
    problem.value = ''
    const sending: Promise<void>[] = []
    for (const file of files) {
      if (items.value.length >= options.maxFiles) {
        problem.value = `最多上传 ${options.maxFiles} 个文件。`
        break
      }
      const refusal = whyNot(file, options)
      if (refusal) {
        problem.value = refusal
        continue
      }
      const key = uuid()
      sources.set(key, file)
      items.value.push({
        key,
        name: file.name,
        size: file.size,
        state: 'sending',
        progress: 0,
        message: '',
        stored: null,
      })
      const item = items.value[items.value.length - 1]
      if (item) sending.push(send(item))
    }
    await Promise.all(sending)
  }

  function remove(key: string): void {
    items.value = items.value.filter((item) => item.key !== key)
    sources.delete(key)
    problem.value = ''
  }

  async function retry(key: string): Promise<void> {
    const item = items.value.find((one) => one.key === key)
    if (item?.state === 'failed' && item.again) await send(item)
  }

  return reactive({ items, problem, busy, ids, add, remove, retry })
}
