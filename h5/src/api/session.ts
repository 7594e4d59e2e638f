import { api, call } from './client'
import type { paths } from './schema'

/** Who is signed in, for which company, and what they may do. */
type Told = paths['/api/session']['get']['responses'][200]['content']['application/json']

/** The document cannot say that an object may be null; these four are when they do not apply. */
type MayBeNull = 'user' | 'enterprise' | 'institution' | 'department'

export type Session = Omit<Told, MayBeNull> & { [K in MayBeNull]: Told[K] | null }

export function getSession(): Promise<Session> {
  return call(api.GET('/api/session'))
}

export function deleteSession(): Promise<unknown> {
  return call(api.DELETE('/api/session'))
}
