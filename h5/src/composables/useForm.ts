import { computed, inject, nextTick, onBeforeUnmount, onMounted, reactive, ref, shallowRef, watch } from 'vue'
import { matchedRouteKey, onBeforeRouteLeave } from 'vue-router'

import { asApiError, type ApiError } from '@/api/error'

import { clearDraft, readDraft, writeDraft } from './drafts'
import { confirm } from './feedback'
import { uuid } from './uuid'

export type FieldErrors<V> = Partial<Record<keyof V & string, string>>

export interface FormOptions<V extends object, R> {
  initial: V
  /** What is wrong with the values, field by field; nothing when they may be sent. */
  check?: (values: V) => FieldErrors<V>
  /** Sends. The key is the same for every try of one form opening. */
  submit: (values: V, idempotencyKey: string) => Promise<R>
  done?: (result: R) => void | Promise<void>
  /** Keeps what is typed in this tab until it is sent; `omit` names what must never be kept (passwords, codes). */
  draft?: { name: string; omit?: (keyof V & string)[] }
}

/** The keys of a group of fields that are not as they were before; none of a value that is no group. */
function partsThatDiffer(now: unknown, before: unknown): string[] {
  if (typeof now !== 'object' || typeof before !== 'object' || !now || !before || Array.isArray(now))
    return []
  const [a, b] = [now, before] as Record<string, unknown>[]
  return Object.keys({ ...a, ...b }).filter((k) => JSON.stringify(a![k]) !== JSON.stringify(b![k]))
}

/** One form from opening to sent: values, errors, draft, leaving, and sending exactly once. */
export function useForm<V extends object, R>(options: FormOptions<V, R>) {
  const { draft } = options
  const fresh = () => JSON.parse(JSON.stringify(options.initial)) as V
  const saved = draft ? readDraft(draft.name) : null

  const known = Object.entries(saved?.values ?? {}).filter(([name]) => name in options.initial)
  const values = reactive({ ...fresh(), ...Object.fromEntries(known) }) as V
  const errors = reactive<Record<string, string | undefined>>({})
  const problem = shallowRef<ApiError | null>(null)
  const submitting = ref(false)
  const unsaved = ref(false)
  const dirty = computed(() => JSON.stringify(values) !== JSON.stringify(options.initial))
  let key = saved?.key ?? uuid()

  watch(
    () => JSON.parse(JSON.stringify(values)) as Record<string, unknown>,
    (now, before) => {
      for (const name of Object.keys(now)) {
        if (JSON.stringify(now[name]) === JSON.stringify(before[name])) continue
        delete errors[name]
        for (const part of partsThatDiffer(now[name], before[name])) delete errors[`${name}.${part}`]
      }
      keepDraft(now)
    },
    { flush: 'sync' },
  )

  function keepDraft(now: Record<string, unknown>): void {
    if (!draft || !dirty.value) {
      unsaved.value = dirty.value
      if (draft) clearDraft(draft.name)
      return
    }
    const kept = Object.fromEntries(
      Object.entries(now).filter(([name]) => !draft.omit?.includes(name as never)),
    )
    unsaved.value = !writeDraft(draft.name, { values: kept, key })
  }

  function setErrors(found: Record<string, string | undefined>): void {
    for (const name of Object.keys(errors)) delete errors[name]
    Object.assign(errors, found)
    const first = Object.keys(found)[0]
    if (first) void nextTick(() => focusField(first))
  }

  /** Errors of fields this form has stand at the field; everything else stands above the button. */
  function refuse(thrown: unknown): void {
    const error = asApiError(thrown)
    const own = Object.entries(error.fields).filter(
      ([name]) => name in values || name.split('.')[0]! in values,
    )
    setErrors(Object.fromEntries(own))
    const others = Object.keys(error.fields).length > own.length
    problem.value = own.length > 0 && !others ? null : error
  }

  function reset(): void {
    Object.assign(values, fresh())
    setErrors({})
    problem.value = null
    key = uuid()
    unsaved.value = false
    if (draft) clearDraft(draft.name)
  }

  /** Reports whether it was sent. While one try is under way a second press does nothing. */
  async function submit(): Promise<boolean> {
    if (submitting.value) return false
    const found = options.check?.(values) ?? {}
    setErrors(found)
    problem.value = null
    if (Object.values(found).some(Boolean)) return false
    submitting.value = true
    try {
      const result = await options.submit(values, key)
      key = uuid()
      unsaved.value = false
      if (draft) clearDraft(draft.name)
      await options.done?.(result)
      return true
    } catch (thrown) {
      refuse(thrown)
      return false
    } finally {
      submitting.value = false
    }
  }

  const warn = (event: BeforeUnloadEvent) => {
    if (unsaved.value) event.preventDefault()
  }
  onMounted(() => window.addEventListener('beforeunload', warn))
  onBeforeUnmount(() => window.removeEventListener('beforeunload', warn))
  if (inject(matchedRouteKey, null)) {
    onBeforeRouteLeave(
      () =>
        !unsaved.value ||
        confirm({
          title: '内容还没有提交',
          message: '现在离开，刚才填写的内容将不会保留。',
          action: '离开',
          stay: '继续填写',
        }),
    )
  }

  return reactive({ values, errors, problem, submitting, dirty, submit, reset, refuse, setErrors })
}

/** A form on another tab of the page may hold a field of the same name, so the one that is seen is taken. */
function focusField(name: string): void {
  const fields = Array.from(document.getElementsByName(name))
  const seen = fields.find((field) => field.offsetParent !== null)
  seen?.focus()
}
