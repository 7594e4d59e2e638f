import { api, data, idempotent, type Schemas } from '@/api/client'

export type ApplicationItem = Schemas['ApplicationItem']
export type ApplicationStatus = ApplicationItem['status']
export type Application = Schemas['ApplicationView']
export type ApplicationAction = NonNullable<Application['actions']>[number]
export type Colleague = Schemas['ApplicationColleague']
/** What became of one application of a batch. */
export type Outcome = Schemas['ApplicationOutcome']

export interface ApplicationQuery {
  status?: string[]
  waiting?: boolean
  overdue?: boolean
  soon?: boolean
  mine?: boolean
  q?: string
  kind?: string
  /** Conditions on the fields administrators define, one a line. */
  extra?: string
  cursor?: string
  limit?: number
}

/** The applications the person may see: newest first, or nearest deadline first when they wait. */
export const listApplications = (
  { status, waiting, overdue, soon, mine, q, kind, extra, cursor, limit }: ApplicationQuery,
  signal?: AbortSignal,
) =>
  data(
    api.GET('/api/applications', {
      params: {
        query: {
          // one value with commas, as the server reads lists
          status: status?.length ? [status.join(',')] : undefined,
          waiting: waiting || undefined,
          overdue: overdue || undefined,
          soon: soon || undefined,
          mine: mine || undefined,
          q: q || undefined,
          kind: kind || undefined,
          extra: extra || undefined,
          cursor,
          limit,
        },
      },
      signal,
    }),
  )

export const getApplication = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/applications/{id}', { params: { path: { id: Number(id) } }, signal }))

/** The operators of the person's own institution. */
export const listColleagues = () => data(api.GET('/api/application-colleagues')).then((page) => page.items ?? [])

/** Opens the applicant's number; the server keeps who did. */
export const openTelephone = (id: number) =>
  data(api.POST('/api/applications/{id}/telephone', { params: { path: { id } } })).then((answer) => answer.phone)

type Fields<B extends keyof Schemas> = Omit<Schemas[B], 'version'>

/** What each action sends beside the version. */
export interface ActionBody {
  accept: Fields<'ApplicationNoteInputBody'>
  decline: Fields<'ApplicationDeclineInputBody'>
  'ask-supplement': Fields<'ApplicationReasonInputBody'>
  progress: Fields<'ApplicationNoteInputBody'>
  approve: Fields<'ApplicationApproveInputBody'>
  disburse: Fields<'ApplicationDisburseInputBody'>
  complete: Fields<'ApplicationNoteInputBody'>
  plan: Fields<'ApplicationPlanInputBody'>
  'plan-step': Fields<'ApplicationStepInputBody'>
  deliver: Fields<'ApplicationNoteInputBody'>
  diligence: Fields<'ApplicationDiligenceInputBody'>
  'hand-over': Fields<'ApplicationHandOverInputBody'>
}

/** Takes one step with an application as it was last seen. */
export const act = <A extends keyof ActionBody>(seen: Application, action: A, body: ActionBody[A], key: string) =>
  data(
    // The bodies differ by action; ActionBody has matched the two already.
    api.POST(`/api/applications/{id}/${action}` as '/api/applications/{id}/accept', {
      params: { path: { id: seen.id } },
      body: { version: seen.version, ...body } as unknown as Schemas['ApplicationNoteInputBody'],
      ...idempotent(key),
    }),
  )

/** Fills in what the institution fills in beside the application. */
export const fillExtra = (seen: Application, values: Record<string, string[]>, key: string) =>
  data(
    api.POST('/api/applications/{id}/extra', {
      params: { path: { id: seen.id } },
      body: { version: seen.fill?.version ?? 0, values },
      ...idempotent(key),
    }),
  )

/** Takes the last step back, with a reason that both sides read. */
export const undo = (seen: Application, reason: string, key: string) =>
  data(
    api.POST('/api/applications/{id}/undo', {
      params: { path: { id: seen.id } },
      body: { version: seen.version, reason },
      ...idempotent(key),
    }),
  )

export type Results = Schemas['ApplicationResults']
export type Result = Schemas['ApplicationResult']
export type ResultGroup = Results['by']

/** What came of the applications that were submitted in these months. */
export const getResults = (from: string, to: string, by: ResultGroup, signal?: AbortSignal) =>
  data(api.GET('/api/application-results', { params: { query: { from, to, by } }, signal }))

const refs = (items: ApplicationItem[]) => items.map(({ id, version }) => ({ id, version }))

/** Accepts each by itself and tells what became of it. */
export const acceptAll = (items: ApplicationItem[], key: string) =>
  data(api.POST('/api/application-batches/accept', { body: { items: refs(items) }, ...idempotent(key) })).then(
    (answer) => answer.items ?? [],
  )

/** Declines each by itself, all with the same reasons. */
export const declineAll = (items: ApplicationItem[], codes: string[], reason: string, key: string) =>
  data(
    api.POST('/api/application-batches/decline', { body: { items: refs(items), codes, reason }, ...idempotent(key) }),
  ).then((answer) => answer.items ?? [])

/** Tells for each whether it would be done now; changes nothing. */
export const previewAll = (items: ApplicationItem[], action: 'accept' | 'decline') =>
  data(api.POST('/api/application-batches/preview', { body: { items: refs(items), action } })).then(
    (answer) => answer.items ?? [],
  )

/** The ready reasons of declining. */
export const listDeclineReasons = () => data(api.GET('/api/application-reasons')).then((page) => page.items ?? [])

export type Limit = Schemas['ApplicationLimitView']

export const listLimits = () => data(api.GET('/api/application-limits')).then((page) => page.items ?? [])

export const saveLimit = (kind: string, body: Schemas['ApplicationLimitInputBody'], key: string) =>
  data(
    api.PUT('/api/application-limits/{kind}', { params: { path: { kind: kind || 'all' } }, body, ...idempotent(key) }),
  )
