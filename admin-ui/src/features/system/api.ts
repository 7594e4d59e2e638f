import { api, data, idempotent, type Schemas } from '@/api/client'

export type UserItem = Schemas['IdentityUserItem']
export type UserView = Schemas['IdentityUserView']
export type Places = Schemas['IdentityPlaces']
export type RoleView = Schemas['IdentityRoleView']
export type Permission = Schemas['Info']
export type LogItem = Schemas['IdentityLogItem']
export type LogView = Schemas['IdentityLogView']
export type Seals = Schemas['IdentityLogSeals']

export type Party = 'platform' | 'government' | 'institution' | 'enterprise'
export type UserState = 'active' | 'locked' | 'disabled'
export type Scope = 'self' | 'department' | 'subtree' | 'district'

/** A password that the server tells once. */
export interface Issued {
  user: UserView
  password: string
}

export interface UserQuery {
  q?: string
  phone?: string
  party?: string
  role?: string
  state?: string
  cursor?: string
  limit?: number
}

/** Leaves out what is not asked for. */
function asked<T extends object>(query: T): T {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== '' && value !== undefined)) as T
}

export const listUsers = (query: UserQuery, signal?: AbortSignal) =>
  data(api.GET('/api/users', { params: { query: asked(query) }, signal }))

export const getUser = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/users/{id}', { params: { path: { id: Number(id) } }, signal }))

export const getPlaces = () => data(api.GET('/api/user-places'))

export const createUser = (body: Schemas['CreateUserInputBody'], key: string): Promise<Issued> =>
  data(api.POST('/api/users', { body, ...idempotent(key) }))

const target = (user: UserView, key: string) => ({ params: { path: { id: user.id } }, ...idempotent(key) })

export const editUser = (user: UserView, body: Omit<Schemas['EditUserInputBody'], 'version'>, key: string) =>
  data(api.POST('/api/users/{id}', { ...target(user, key), body: { ...body, version: user.version } }))

export const disableUser = (user: UserView, reason: string, key: string) =>
  data(api.POST('/api/users/{id}/disable', { ...target(user, key), body: { version: user.version, reason } }))

export const enableUser = (user: UserView, key: string) =>
  data(api.POST('/api/users/{id}/enable', { ...target(user, key), body: { version: user.version } }))

export const unlockUser = (user: UserView, key: string) =>
  data(api.POST('/api/users/{id}/unlock', { ...target(user, key), body: { version: user.version } }))

export const resetPassword = (user: UserView, key: string): Promise<Issued> =>
  data(api.POST('/api/users/{id}/reset-password', { ...target(user, key), body: { version: user.version } }))

/** Ends one session of an account, or all of them. */
export const endUserSessions = (user: UserView, sessionId?: number) =>
  data(api.POST('/api/users/{id}/end-sessions', { params: { path: { id: user.id } }, body: { sessionId } }))

export const listRoles = () => data(api.GET('/api/roles'))

export const listPermissions = () => data(api.GET('/api/permissions'))

export const createRole = (body: Schemas['CreateRoleInputBody'], key: string) =>
  data(api.POST('/api/roles', { body, ...idempotent(key) }))

export const editRole = (role: RoleView, permissions: string[], key: string) =>
  data(
    api.POST('/api/roles/{code}/permissions', {
      params: { path: { code: role.code } },
      body: { version: role.version, permissions },
      ...idempotent(key),
    }),
  )

export interface LogQuery {
  from?: string
  until?: string
  actor?: string
  object?: string
  action?: string
  cursor?: string
  limit?: number
}

export const listAudit = (query: LogQuery, signal?: AbortSignal) =>
  data(api.GET('/api/audit-entries', { params: { query: asked(query) }, signal }))

export const getAuditEntry = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/audit-entries/{id}', { params: { path: { id: Number(id) } }, signal }))

export const getSeals = () => data(api.GET('/api/audit-seals'))
