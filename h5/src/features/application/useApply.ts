import { computed, reactive, ref, shallowRef, watch } from 'vue'

import { asApiError, type ApiError } from '@/api/error'
import { useUpload } from '@/composables/useUpload'
import { uuid } from '@/composables/uuid'

import { saveDraft, submitApplication, type Application, type ApplicationForm, type Typed } from './api'
import { checkApply, checkFields, fenOf, monthsOf, stepsOf, type ApplyValues } from './checks'
import { useAutosave } from './useAutosave'

export const acceptFiles = ['.jpg', '.jpeg', '.png', '.pdf', '.docx', '.xlsx']

/** One form of an application, from opening to sent: what is typed is saved as typed. */
export function useApply(form: ApplicationForm, changedMeanwhile: () => void) {
  const offer = form.product
  const draft = form.draft
  const values = reactive<ApplyValues>({
    amount: draft?.amount ?? '',
    term: draft?.term ?? '',
    purpose: draft?.purpose ?? '',
    collateral: draft?.collateral ?? '',
    contactName: draft?.contactName ?? form.prefill.contactName,
    phone: draft?.phone ?? form.prefill.phone,
  })
  // What administrators ask beside the rest; a field that was retired since the draft is not sent.
  const asked = form.fields
  const fields = ref<Record<string, string[]>>(
    Object.fromEntries(asked.map((f) => [f.key, [...(draft?.fields?.[f.key] ?? [])]])),
  )
  const offered = form.papers.map((paper) => paper.id)
  const papers = ref((draft?.papers ?? form.prefill.papers).filter((id) => offered.includes(id)))
  const upload = useUpload({
    purpose: 'application',
    accept: acceptFiles,
    maxBytes: 20 * 1024 * 1024,
    maxFiles: 9,
  })
  for (const file of draft?.files ?? []) {
    const stored = { ...file, mime: '', url: `/api/files/${file.id}` }
    upload.items.push({
      key: uuid(),
      name: file.name,
      size: file.size,
      state: 'done',
      progress: 1,
      message: '',
      stored,
    })
  }
  const steps = stepsOf(offer.lends)
  const errors = reactive<Record<string, string | undefined>>({})
  const problem = shallowRef<ApiError | null>(null)
  const submitting = ref(false)
  const savedAt = ref(draft?.savedAt ?? '')
  let key = uuid()

  const typed = computed<Typed>(() => ({
    ...values,
    files: upload.items.flatMap(({ stored }) =>
      stored ? [{ id: stored.id, name: stored.name, size: stored.size }] : [],
    ),
    papers: papers.value,
    fields: fields.value,
  }))
  const saving = useAutosave(
    () => saveDraft(offer.id, typed.value),
    (saved) => (savedAt.value = saved.savedAt),
    (error) => error.kind === 'conflict' && changedMeanwhile(),
  )
  watch(
    () => JSON.stringify(typed.value),
    (now, before) => {
      const [a, b] = [JSON.parse(now), JSON.parse(before)] as [Typed, Typed]
      for (const name of Object.keys(values) as (keyof ApplyValues)[])
        if (a[name] !== b[name]) delete errors[name]
      for (const { key: name } of asked)
        if (JSON.stringify(a.fields?.[name]) !== JSON.stringify(b.fields?.[name]))
          delete errors[`fields.${name}`]
      if (a.files.length !== b.files.length) delete errors['fileIds']
      if (a.papers?.length !== b.papers?.length) delete errors['paperIds']
      saving.changed()
    },
  )

  function show(found: Record<string, string | undefined>): void {
    for (const name of Object.keys(errors)) delete errors[name]
    Object.assign(errors, found)
  }

  /** The first screen with something to mend; -1 when there is none. */
  const firstWrong = () =>
    steps.findIndex(
      (step) =>
        step.fields.some((field) => errors[field]) ||
        (step.fields.includes('purpose') && asked.some((f) => errors[`fields.${f.key}`])),
    )

  /** Reports whether the screen may be left. */
  function passes(step: number): boolean {
    const found = checkApply(values, offer)
    const own =
      steps[step]?.fields.filter((field) => field in values && found[field as keyof ApplyValues]) ?? []
    const gaps = steps[step]?.fields.includes('purpose') ? checkFields(asked, fields.value) : {}
    show({ ...Object.fromEntries(own.map((field) => [field, found[field as keyof ApplyValues]])), ...gaps })
    return own.length === 0 && Object.keys(gaps).length === 0
  }

  /** Sends. Resolves to the application, or to null when something must be mended; errors and problem say what. */
  async function submit(): Promise<Application | null> {
    if (submitting.value) return null
    show({ ...checkApply(values, offer), ...checkFields(asked, fields.value) })
    problem.value = null
    if (firstWrong() >= 0) return null
    submitting.value = true
    await saving.stop()
    try {
      const sent = await submitApplication(
        {
          productId: offer.id,
          ...(offer.lends && {
            amount: fenOf(values.amount) ?? 0,
            term: monthsOf(values.term) ?? 0,
            collateral: values.collateral,
          }),
          purpose: values.purpose,
          contactName: values.contactName,
          phone: values.phone,
          fileIds: upload.ids,
          paperIds: papers.value,
          fields: fields.value,
        },
        key,
      )
      key = uuid()
      return sent
    } catch (thrown) {
      saving.resume()
      refuse(asApiError(thrown))
      return null
    } finally {
      submitting.value = false
    }
  }

  function refuse(error: ApiError): void {
    const known = [
      ...steps.flatMap((step) => step.fields as string[]),
      ...asked.map((f) => `fields.${f.key}`),
    ]
    const own = Object.entries(error.fields).filter(([name]) => known.includes(name))
    show(Object.fromEntries(own))
    problem.value = own.length > 0 && own.length === Object.keys(error.fields).length ? null : error
    if (error.kind === 'conflict') changedMeanwhile()
    else saving.changed()
  }

  return reactive({
    values,
    asked,
    fields,
    papers,
    upload,
    steps,
    errors,
    problem,
    submitting,
    savedAt,
    saveState: saving.state,
    passes,
    firstWrong,
    submit,
    stopSaving: saving.stop,
  })
}
