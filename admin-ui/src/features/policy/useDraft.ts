import { computed, onBeforeUnmount, reactive, ref, shallowRef, toRaw, watch } from 'vue'
import { useRouter } from 'vue-router'
import { newKey, toApiError, type ApiError } from '@/api/client'
import type { ViewState } from '@/components/types'
import { beginEdition, getEdition, saveDraft, type Content, type Edition } from './library'
import { merge } from './merge'

/** How long after the last key a draft is saved, in milliseconds. */
export const pause = 1500

const copy = <T>(v: T): T => JSON.parse(JSON.stringify(v ?? null)) as T
const plain = (v: unknown) => JSON.stringify(v ?? null)

export interface Conflict {
  /** What the server says: who changed what. */
  message: string
  theirs: Edition
  parts: (keyof Content)[]
  notes: string[]
}

/**
 * The draft of a policy, saved as one types. Where somebody else saved meanwhile, what only one of the two changed is put
 * together silently, and of what both changed one chooses.
 */
export function useDraft(id: number) {
  const edition = shallowRef<Edition | null>(null)
  const content = ref<Content | null>(null)
  const error = shallowRef<ApiError | null>(null)
  const problem = shallowRef<ApiError | null>(null)
  const conflict = shallowRef<Conflict | null>(null)
  const saving = ref(false)
  const savedAt = ref('')
  const joined = ref('')
  let base: Content | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let key = newKey()
  let running: Promise<void> | undefined

  const dirty = computed(() => content.value !== null && plain(content.value) !== plain(edition.value?.content))
  const editable = computed(() => edition.value?.actions.includes('save') ?? false)
  const state = computed<ViewState>(() => {
    if (error.value?.status === 404) return 'notfound'
    if (error.value?.status === 403) return 'forbidden'
    if (error.value) return 'error'
    return content.value === null ? 'loading' : 'ready'
  })

  function take(next: Edition, keep?: Content): void {
    edition.value = next
    base = copy(next.content)
    if (keep === undefined) content.value = copy(next.content)
    savedAt.value = next.updatedAt
  }

  async function load(): Promise<void> {
    error.value = null
    try {
      take(await getEdition(id, 0))
    } catch (e) {
      const fault = toApiError(e)
      if (fault.status !== 404) return void (error.value = fault)
      try {
        take(await beginEdition(id, newKey()))
      } catch (e2) {
        error.value = toApiError(e2)
      }
    }
  }

  async function send(): Promise<void> {
    const now = edition.value
    if (!now || !content.value || !editable.value || conflict.value) return
    const sent = copy(toRaw(content.value))
    if (plain(sent) === plain(now.content)) return
    saving.value = true
    try {
      const kept = await saveDraft(id, now.version, now.base, sent, key)
      key = newKey()
      problem.value = null
      take(kept, sent)
    } catch (e) {
      const fault = toApiError(e)
      if (fault.status === 409 && fault.code === 'POLICY_EDITED') await settle(fault)
      else problem.value = fault
      key = newKey()
    } finally {
      saving.value = false
    }
  }

  /** Saves what is not saved yet, one request after the other. */
  async function save(): Promise<boolean> {
    clearTimeout(timer)
    while (running) await running
    running = send().finally(() => (running = undefined))
    await running
    return !dirty.value && problem.value === null && conflict.value === null
  }

  async function settle(fault: ApiError): Promise<void> {
    const theirs = await getEdition(id, 0)
    if (!base || !content.value) return
    const merged = merge(base, toRaw(content.value), theirs.content)
    const notes = fault.fields.map((f) => f.message)
    content.value = merged.content
    if (merged.conflicts.length > 0) {
      conflict.value = { message: fault.message, theirs, parts: merged.conflicts, notes }
      return
    }
    joined.value = `${notes.join('；')}。已与您的修改合并。`
    take(theirs, merged.content)
    schedule()
  }

  /** Takes their words for the parts named, one's own for the others, and goes on saving. */
  function choose(theirs: (keyof Content)[]): void {
    const c = conflict.value
    if (!c || !content.value) return
    for (const part of theirs) Object.assign(content.value, { [part]: copy(c.theirs.content[part]) })
    conflict.value = null
    take(c.theirs, content.value)
    schedule()
  }

  function schedule(): void {
    clearTimeout(timer)
    timer = setTimeout(() => void save(), pause)
  }

  /** Says that the draft now rests on the edition in force. */
  async function rebase(): Promise<void> {
    if (!edition.value || !content.value) return
    await save()
    const now = edition.value
    take(await saveDraft(id, now.version, now.current, toRaw(content.value), newKey()))
  }

  watch(content, () => dirty.value && editable.value && schedule(), { deep: true })
  const warn = (event: BeforeUnloadEvent) => dirty.value && event.preventDefault()
  window.addEventListener('beforeunload', warn)
  const release = useRouter().beforeEach(async (to, from) => {
    if (to.path !== from.path && dirty.value && editable.value) await save()
    return true
  })
  onBeforeUnmount(() => {
    clearTimeout(timer)
    window.removeEventListener('beforeunload', warn)
    release()
  })
  void load()

  return reactive({
    edition,
    content,
    state,
    error,
    problem,
    conflict,
    saving,
    savedAt,
    joined,
    dirty,
    editable,
    load,
    save,
    take: (e: Edition) => take(e),
    choose,
    rebase,
  })
}

export type Draft = ReturnType<typeof useDraft>
