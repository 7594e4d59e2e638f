import { computed, onBeforeUnmount, reactive, ref, shallowRef, toRaw, type Ref } from 'vue'
import { useRouter } from 'vue-router'
import { newKey, toApiError, type ApiError } from '@/api/client'
import { confirm } from './useConfirm'

export interface FormOptions<V extends object, R> {
  initial: () => V
  /** Sends the values; `key` is the idempotency key of this opening of the form, the same over retries. */
  submit: (values: V, key: string) => Promise<R>
  /** Checks before sending: a Chinese sentence per wrong field, nothing for a right one. */
  check?: (values: V) => Partial<Record<keyof V & string, string>>
  onDone?: (result: R, values: V) => void | Promise<void>
}

const copy = <V>(v: V): V => JSON.parse(JSON.stringify(v ?? null)) as V

/**
 * One form: values, one message per field, one sent command per click however often it is clicked, and a question before
 * unsent input is lost. Field messages of the server land on their fields; the rest is `error`.
 */
export function useForm<V extends object, R = unknown>(options: FormOptions<V, R>) {
  const values = reactive(options.initial()) as V
  const saved = ref(JSON.stringify(values))
  const errors = ref({}) as Ref<Record<string, string>>
  const error = shallowRef<ApiError | null>(null)
  const submitting = ref(false)
  let key = newKey()

  const dirty = computed(() => JSON.stringify(values) !== saved.value)

  /** Takes new values as the unchanged ones (opened for another object, or saved). */
  function reset(next: V = options.initial()): void {
    for (const name of Object.keys(values)) if (!(name in next)) delete (values as Record<string, unknown>)[name]
    Object.assign(values, copy(next))
    saved.value = JSON.stringify(values)
    errors.value = {}
    error.value = null
    key = newKey()
  }

  function fail(e: unknown): void {
    const fault = toApiError(e)
    errors.value = Object.fromEntries(fault.fields.map((f) => [f.field, f.message]))
    error.value = fault
  }

  /** True when the server took it. A second call while the first is under way does nothing. */
  async function submit(): Promise<boolean> {
    if (submitting.value) return false
    error.value = null
    errors.value = { ...(options.check?.(values) ?? {}) } as Record<string, string>
    for (const [name, message] of Object.entries(errors.value)) if (!message) delete errors.value[name]
    if (Object.keys(errors.value).length > 0) return false
    submitting.value = true
    const sent = copy(toRaw(values))
    try {
      const result = await options.submit(sent, key)
      key = newKey()
      saved.value = JSON.stringify(sent)
      await options.onDone?.(result, sent)
      return true
    } catch (e) {
      fail(e)
      return false
    } finally {
      submitting.value = false
    }
  }

  /** Asks before unsent input is lost; true when it may be. Use it as `before-close` of a panel or dialog. */
  async function mayLeave(): Promise<boolean> {
    if (!dirty.value) return true
    return confirm({
      title: '内容尚未提交',
      message: '离开后已填写的内容将丢失。',
      confirmText: '放弃填写',
      cancelText: '继续填写',
      danger: true,
    })
  }

  function beforeUnload(event: BeforeUnloadEvent): void {
    if (dirty.value) event.preventDefault()
  }
  window.addEventListener('beforeunload', beforeUnload)
  const release = useRouter().beforeEach(async (to, from) => (to.path === from.path ? true : mayLeave()))
  onBeforeUnmount(() => {
    window.removeEventListener('beforeunload', beforeUnload)
    release()
  })

  return reactive({ values, errors, error, dirty, submitting, submit, reset, mayLeave })
}
