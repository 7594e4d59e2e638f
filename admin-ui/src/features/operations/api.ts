import { api, data, idempotent, type Schemas } from '@/api/client'

export type Task = Schemas['OperationsTaskView']
export type Run = Schemas['OperationsRunView']
export type RunState = Run['state']
export type Tasks = Schemas['OperationsTasksView']
export type Queues = Schemas['OperationsQueuesView']
export type Kind = Schemas['OperationsKindView']
export type Backlog = Schemas['OperationsBacklogView']
export type Job = Schemas['OperationsJobView']
export type JobState = Job['state']
export type Health = Schemas['OperationsHealthView']
export type Check = Schemas['OperationsCheckView']
export type CheckState = Check['state']
export type Incident = Schemas['OperationsIncidentView']
export type Report = Schemas['OperationsReport']
export type ReportItem = Schemas['OperationsReportItem']

/** Leaves out what is not asked for. */
function asked<T extends object>(query: T): T {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== '' && value !== undefined)) as T
}

const numbered = (id: number, key: string) => ({ params: { path: { id } }, ...idempotent(key) })
const named = (name: string, key: string) => ({ params: { path: { name } }, ...idempotent(key) })

export const listTasks = (_: string, signal?: AbortSignal) => data(api.GET('/api/operations/tasks', { signal }))

export interface RunQuery {
  task?: string
  state?: string
  from?: string
  until?: string
  cursor?: string
  limit?: number
}

export const listRuns = (query: RunQuery, signal?: AbortSignal) =>
  data(
    api.GET('/api/operations/task-runs', {
      params: { query: asked({ ...query, state: query.state as RunState | undefined }) },
      signal,
    }),
  )

export const getRun = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/operations/task-runs/{id}', { params: { path: { id: Number(id) } }, signal }))

export const runTask = (name: string, key: string) =>
  data(api.POST('/api/operations/tasks/{name}/run', named(name, key)))

export const pauseTask = (name: string, reason: string, key: string) =>
  data(api.POST('/api/operations/tasks/{name}/pause', { ...named(name, key), body: { reason } }))

export const resumeTask = (name: string, reason: string, key: string) =>
  data(api.POST('/api/operations/tasks/{name}/resume', { ...named(name, key), body: { reason } }))

export const retryRun = (id: number, key: string) =>
  data(api.POST('/api/operations/task-runs/{id}/retry', numbered(id, key)))

export const getQueues = (_: string, signal?: AbortSignal) => data(api.GET('/api/operations/queues', { signal }))

export interface JobQuery {
  kind?: string
  state?: string
  cursor?: string
  limit?: number
}

export const listJobs = (query: JobQuery, signal?: AbortSignal) =>
  data(
    api.GET('/api/operations/jobs', {
      params: { query: asked({ ...query, state: query.state as JobState | undefined }) },
      signal,
    }),
  )

export const retryJob = (id: number, reason: string, key: string) =>
  data(api.POST('/api/operations/jobs/{id}/retry', { ...numbered(id, key), body: { reason } }))

export const dropJob = (id: number, reason: string, key: string) =>
  data(api.POST('/api/operations/jobs/{id}/drop', { ...numbered(id, key), body: { reason } }))

export const getHealth = (_: string, signal?: AbortSignal) => data(api.GET('/api/operations/health', { signal }))

export const setLimits = (code: string, body: { warn: number; bad: number; reset?: boolean }, key: string) =>
  data(api.POST('/api/operations/health/{code}/limits', { params: { path: { code } }, body, ...idempotent(key) }))

export interface IncidentQuery {
  code?: string
  open?: boolean
  cursor?: string
  limit?: number
}

export const listIncidents = (query: IncidentQuery, signal?: AbortSignal) =>
  data(api.GET('/api/operations/incidents', { params: { query: asked(query) }, signal }))

export const acknowledge = (id: number, note: string, key: string) =>
  data(api.POST('/api/operations/incidents/{id}/acknowledge', { ...numbered(id, key), body: { note } }))

export const listReports = (query: { cursor?: string; limit?: number }, signal?: AbortSignal) =>
  data(api.GET('/api/operations/reports', { params: { query: asked(query) }, signal }))

export const getReport = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/operations/reports/{id}', { params: { path: { id: Number(id) } }, signal }))
