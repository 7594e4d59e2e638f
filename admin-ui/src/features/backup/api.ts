import { api, data, idempotent, type Schemas } from '@/api/client'

export type Backup = Schemas['BackupItem']
export type BackupState = Backup['state']
export type Standing = Schemas['BackupStanding']

export interface BackupQuery {
  state?: string
  cursor?: string
  limit?: number
}

export const listBackups = ({ state, cursor, limit }: BackupQuery, signal?: AbortSignal) =>
  data(
    api.GET('/api/backups', {
      params: { query: { state: (state || undefined) as BackupState | undefined, cursor, limit } },
      signal,
    }),
  )

export const getStanding = (_: string, signal?: AbortSignal) => data(api.GET('/api/backups/standing', { signal }))

export const askBackup = (key: string) => data(api.POST('/api/backups', idempotent(key)))
