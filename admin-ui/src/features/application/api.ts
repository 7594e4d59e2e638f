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
  mine?: boolean
  cursor?: string
  limit?: number
}

/** The applications the person may see: newest first, or nearest deadline first when they wait. */
export const listApplications = (
  { status, waiting, overdue, mine, cursor, limit }: ApplicationQuery,
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
          mine: mine || undefined,
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
  decline: Fields<'ApplicationReasonInputBody'>
  'ask-supplement': Fields<'ApplicationReasonInputBody'>
  progress: Fields<'ApplicationNoteInputBody'>
  approve: Fields<'ApplicationApproveInputBody'>
  disburse: Fields<'ApplicationDisburseInputBody'>
  complete: Fields<'ApplicationNoteInputBody'>
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

const refs = (items: ApplicationItem[]) => items.map(({ id, version }) => ({ id, version }))

/** Accepts each by itself and tells what became of it. */
export const acceptAll = (items: ApplicationItem[], key: string) =>
  data(api.POST('/api/application-batches/accept', { body: { items: refs(items) }, ...idempotent(key) })).then(
    (answer) => answer.items ?? [],
  )

/** Declines each by itself, all with one reason. */
export const declineAll = (items: ApplicationItem[], reason: string, key: string) =>
  data(api.POST('/api/application-batches/decline', { body: { items: refs(items), reason }, ...idempotent(key) })).then(
    (answer) => answer.items ?? [],
  )
