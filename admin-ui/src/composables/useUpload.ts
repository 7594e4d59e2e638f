import { computed, onBeforeUnmount, reactive, ref } from 'vue'
import { fileState, isAborted, sendFile, toApiError } from '@/api/client'
import type { UploadItem } from '@/components/types'
import { fileSize } from '@/format'

export interface UploadOptions {
  purpose: string
  /** Allowed endings, without the dot. */
  accept?: string[]
  maxBytes?: number
  maxCount?: number
}

const defaults = ['jpg', 'jpeg', 'png', 'pdf', 'docx', 'xlsx']

/** How long until the scanner is asked again, in milliseconds. */
export const askAgain = 10_000

const quarantined = '文件含有病毒，已被隔离，请移除后重新选择'

/** Files sent one by one with progress, checked before they leave. `ids` belong into the command that links them. */
export function useUpload(options: UploadOptions) {
  const accept = options.accept ?? defaults
  const maxBytes = options.maxBytes ?? 20 * 1024 * 1024
  const maxCount = options.maxCount ?? 9
  const files = ref<UploadItem[]>([])
  const running = new Map<number, AbortController>()
  const originals = new Map<number, File>()
  let last = 0

  function complaint(file: File): string {
    const ending = file.name.includes('.') ? file.name.split('.').pop()!.toLowerCase() : ''
    if (!accept.includes(ending)) return `不支持此类文件，请上传 ${accept.join('、')} 格式`
    if (file.size === 0) return '文件是空的，请重新选择'
    if (file.size > maxBytes) return `文件超过 ${fileSize(maxBytes)}，请压缩后上传`
    return ''
  }

  async function send(item: UploadItem, file: File): Promise<void> {
    const abort = new AbortController()
    running.set(item.uid, abort)
    item.status = 'sending'
    item.progress = 0
    item.message = ''
    try {
      const stored = await sendFile(file, options.purpose, (p) => (item.progress = p), abort.signal)
      Object.assign(item, { id: stored.id, url: stored.url, mime: stored.mime, status: 'done', progress: 1 })
      item.waiting = stored.state === 'waiting'
      if (item.waiting) timer ??= setInterval(() => void look(), askAgain)
      originals.delete(item.uid)
    } catch (e) {
      if (isAborted(e)) return
      item.status = 'failed'
      item.message = toApiError(e).message
    } finally {
      running.delete(item.uid)
    }
  }

  let timer: ReturnType<typeof setInterval> | undefined

  /** Asks what became of the files that wait for the scanner. */
  async function look(): Promise<void> {
    const waiting = files.value.filter((f) => f.waiting)
    if (waiting.length === 0) {
      clearInterval(timer)
      timer = undefined
    }
    for (const item of waiting) {
      const state = item.id === undefined ? 'available' : await fileState(item.id).catch(() => 'waiting')
      if (state === 'waiting') continue
      item.waiting = false
      if (state === 'quarantined')
        Object.assign(item, { status: 'failed', retryable: false, id: undefined, message: quarantined })
    }
  }

  async function add(chosen: Iterable<File>): Promise<void> {
    const jobs: Promise<void>[] = []
    for (const file of chosen) {
      const full = files.value.filter((f) => f.status !== 'failed').length >= maxCount
      const message = full ? `最多上传 ${maxCount} 个文件` : complaint(file)
      const item = reactive<UploadItem>({
        uid: ++last,
        name: file.name,
        size: file.size,
        progress: 0,
        status: message ? 'failed' : 'sending',
        message,
      })
      files.value.push(item)
      if (message) continue
      originals.set(item.uid, file)
      item.retryable = true
      jobs.push(send(item, file))
    }
    await Promise.all(jobs)
  }

  function remove(uid: number): void {
    running.get(uid)?.abort()
    originals.delete(uid)
    files.value = files.value.filter((f) => f.uid !== uid)
  }

  async function retry(uid: number): Promise<void> {
    const item = files.value.find((f) => f.uid === uid)
    const file = originals.get(uid)
    if (item && file && item.status === 'failed') await send(item, file)
  }

  onBeforeUnmount(() => {
    running.forEach((a) => a.abort())
    clearInterval(timer)
  })

  return reactive({
    files,
    ids: computed(() => files.value.flatMap((f) => (f.id === undefined ? [] : [f.id]))),
    busy: computed(() => files.value.some((f) => f.status === 'sending')),
    accept: accept.map((a) => `.${a}`).join(','),
    hint: `支持 ${accept.join('、')}，单个不超过 ${fileSize(maxBytes)}，最多 ${maxCount} 个`,
    add,
    remove,
    retry,
  })
}
