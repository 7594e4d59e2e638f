import { api, call } from './client'
import type { paths } from './schema'

/** Who is signed in, for which company, and what they may do. */
export type Session = paths['/api/session']['get']['responses'][200]['content']['application/json']

export function getSession(): Promise<Session> {
  return call(api.GET('/api/session'))
}

export function deleteSession(): Promise<unknown> {
  return call(api.DELETE('/api/session'))
}
