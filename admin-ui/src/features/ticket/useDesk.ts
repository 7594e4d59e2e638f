import { computed, onBeforeUnmount, reactive, ref, shallowRef, watch } from 'vue'
import { newKey, toApiError, type ApiError } from '@/api/client'
import { act as step, type Caller, type Ticket, type Urgency } from './api'
import { checkTicket } from './checks'
import { dropDraft, getDraft, keepDraft, openAtDesk } from './desk'
import { titleOf } from './matter'

export type DeskVerdict = 'good' | 'unsatisfied' | 'unsolved'

export const emptyCall = () => ({
  phone: '',
  contactName: '',
  enterpriseName: '',
  type: '',
  urgency: '',
  area: '',
  title: '',
  body: '',
  answer: '',
  verdict: 'good' as DeskVerdict,
  note: '',
  unitId: 0,
  enterpriseId: 0,
  creditCode: '',
  fields: {} as Record<string, string[]>,
  linked: 0,
})

export type Call = ReturnType<typeof emptyCall>

/** What is done with the call. */
export type DeskAct = 'answer' | 'dispatch' | 'queue'

/** What keeps the act from being sent, one sentence per field. */
export function checkCall(call: Call, act: DeskAct): Record<string, string> {
  const wrong: Record<string, string> = { ...checkTicket({ ...call, title: call.title.trim() || titleOf(call.body) }) }
  if (act === 'answer' && call.answer.trim() === '') wrong['answer'] = '请填写告知来电人的答复'
  if (act === 'answer' && call.verdict !== 'good' && call.note.trim() === '') {
    wrong['note'] = '来电人不满意或未解决时，请写明情况，或改为派单'
  }
  if (act === 'dispatch' && !call.unitId) wrong['unitId'] = '请选择承办单位'
  return wrong
}

/** The call that is written down at the moment. What is typed is kept on the server, so that nothing is lost. */
export function useDesk() {
  const call = reactive(emptyCall())
  const errors = ref<Record<string, string>>({})
  const error = shallowRef<ApiError | null>(null)
  const busy = ref(false)
  const restored = ref('')
  const kept = ref<'' | 'saving' | 'saved' | 'failed'>('')
  const done = shallowRef<{ ticket: Ticket; act: DeskAct } | null>(null)
  let key = newKey()
  let timer: ReturnType<typeof setTimeout> | undefined
  let saving: Promise<unknown> = Promise.resolve()
  let loaded = false

  const touched = computed(() => JSON.stringify(call) !== JSON.stringify(emptyCall()))

  async function save(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    if (!loaded || busy.value) return
    kept.value = 'saving'
    const keeps = touched.value
    saving = (keeps ? keepDraft({ ...call }) : dropDraft()).then(
      () => {
        if (timer === undefined) kept.value = keeps ? 'saved' : ''
      },
      () => void (kept.value = 'failed'),
    )
    await saving
  }
  watch(call, () => {
    if (!loaded) return
    clearTimeout(timer)
    kept.value = 'saving'
    timer = setTimeout(() => void save(), 800)
  })

  // Another type has another form.
  watch(
    () => call.type,
    (_, before) => {
      if (before !== '') call.fields = {}
    },
  )

  async function restore(): Promise<void> {
    try {
      const draft = await getDraft()
      const body = draft?.body as Partial<Call> | undefined
      if (draft && body && !touched.value) {
        for (const name of Object.keys(call) as (keyof Call)[]) {
          if (typeof body[name] === typeof call[name]) Object.assign(call, { [name]: body[name] })
        }
        restored.value = draft.at
      }
    } catch (e) {
      error.value = toApiError(e)
    } finally {
      loaded = true
    }
  }

  /** Takes over who calls, where nothing is typed yet. */
  function know(caller: Caller): void {
    if (call.contactName === '') call.contactName = caller.person?.name ?? caller.name ?? ''
    call.enterpriseId = caller.firm?.id ?? 0
    call.creditCode = caller.firm?.creditCode ?? ''
    if (caller.firm) call.enterpriseName = caller.firm.name
  }

  /** The call is written down already: a link that fails is said and nothing more. */
  async function link(ticket: Ticket, other: number): Promise<void> {
    try {
      await step(ticket, 'link', { otherId: other, note: '登记时提示可能重复' }, newKey())
    } catch (e) {
      error.value = toApiError(e)
    }
  }

  function clear(): void {
    Object.assign(call, emptyCall())
    errors.value = {}
    error.value = null
    restored.value = ''
    key = newKey()
  }

  async function send(act: DeskAct): Promise<boolean> {
    if (busy.value) return false
    error.value = null
    errors.value = checkCall(call, act)
    if (Object.keys(errors.value).length) return false
    busy.value = true
    clearTimeout(timer)
    timer = undefined
    // A draft that is on its way must not arrive after the call was written down.
    await saving
    try {
      const ticket = await openAtDesk(
        {
          type: call.type,
          title: call.title.trim() || titleOf(call.body),
          body: call.body,
          contactName: call.contactName,
          phone: call.phone,
          enterpriseName: call.enterpriseName,
          ...(call.enterpriseId ? { enterpriseId: call.enterpriseId } : {}),
          fields: call.fields,
          ...(call.urgency ? { urgency: call.urgency as Urgency } : {}),
          ...(call.area ? { area: call.area } : {}),
          ...(act === 'answer'
            ? {
                answer: call.answer,
                solved: call.verdict !== 'unsolved',
                satisfied: call.verdict === 'good',
                note: call.note,
              }
            : {}),
          ...(act === 'dispatch' ? { unitId: call.unitId, note: call.note } : {}),
        },
        key,
      )
      const other = call.linked
      clear()
      kept.value = ''
      done.value = { ticket, act }
      if (other) await link(ticket, other)
      return true
    } catch (e) {
      const fault = toApiError(e)
      errors.value = Object.fromEntries(fault.fields.map((f) => [f.field, f.message]))
      error.value = fault
      if (fault.code === 'KEY_REUSED') key = newKey()
      return false
    } finally {
      busy.value = false
    }
  }

  onBeforeUnmount(() => {
    if (timer !== undefined) void save()
  })

  return reactive({ call, errors, error, busy, restored, kept, done, restore, clear, know, send, save })
}

/** The call at hand, for the parts of its page. */
export type Desk = ReturnType<typeof useDesk>
