import { api, data, idempotent, newKey, type Schemas } from '@/api/client'

export type Standing = Schemas['SeatStanding']
export type SeatState = Standing['state']
export type Board = Schemas['SeatBoard']
export type SeatLine = Schemas['SeatLine']
export type Week = Schemas['SeatWeek']
export type Shift = Schemas['SeatShiftView']
export type Team = Schemas['SeatTeamView']
export type Person = Schemas['SeatPerson']
export type Hours = Schemas['SeatHoursView']
export type SurgeRule = Schemas['SupervisionRule']
export type Extension = Schemas['CtiExtensionView']
export type Line = Schemas['CtiLine']
export type Wallboard = Schemas['SupervisionWallboard']
export type Alarm = Schemas['SupervisionAlarmView']
export type Report = Schemas['SupervisionReportView']
export type Nuisance = Schemas['CtiNuisanceView']
export type Reveal = Schemas['TicketRevealView']
export type Paging = { cursor?: string; limit?: number }

const once = () => idempotent(newKey())

export const ownSeat = () => data(api.GET('/api/seat'))
export const switchSeat = (body: Schemas['SeatSwitch']) => data(api.POST('/api/seat/state', { body, ...once() }))
export const beat = () => data(api.POST('/api/seat/beat'))
export const getBoard = (_: string, signal?: AbortSignal) => data(api.GET('/api/supervision/seats', { signal }))
export const forceSeat = (line: SeatLine, why: string) =>
  data(
    api.POST('/api/supervision/seats/{id}/state', {
      params: { path: { id: line.userId } },
      body: { state: 'off', version: line.version, why },
      ...once(),
    }),
  )
export const trainSeat = (id: number, codes: string[]) =>
  data(api.PUT('/api/supervision/seats/{id}/skills', { params: { path: { id } }, body: { codes }, ...once() }))

export const getTeams = (_: string, signal?: AbortSignal) => data(api.GET('/api/supervision/teams', { signal }))
export const saveTeam = (
  old: Pick<Team, 'id' | 'version'> | null,
  body: Omit<Schemas['SeatSaveTeam'], 'version'>,
  key: string,
) =>
  old
    ? data(
        api.PUT('/api/supervision/teams/{id}', {
          params: { path: { id: old.id } },
          body: { ...body, version: old.version },
          ...idempotent(key),
        }),
      )
    : data(api.POST('/api/supervision/teams', { body: { ...body, version: 0 }, ...idempotent(key) }))
export const setHours = (hours: Hours[], key: string) =>
  data(api.PUT('/api/supervision/hours', { body: { hours }, ...idempotent(key) }))
export const getSurgeRule = (_: string, signal?: AbortSignal) =>
  data(api.GET('/api/supervision/surge-rule', { signal }))
export const setSurgeRule = (body: SurgeRule, key: string) =>
  data(api.PUT('/api/supervision/surge-rule', { body, ...idempotent(key) }))
export const listExtensions = (_: string, signal?: AbortSignal) =>
  data(api.GET('/api/cti/extensions', { signal })).then((page) => page.items)
export const setExtension = (body: Omit<Extension, 'name'>, key: string) =>
  data(api.PUT('/api/cti/extensions', { body, ...idempotent(key) }))
export const getWeek = (week: string, signal?: AbortSignal) =>
  data(api.GET('/api/supervision/shifts', { params: { query: { week } }, signal }))
export const saveShift = (
  old: Pick<Shift, 'id' | 'version'> | null,
  body: Omit<Schemas['SeatSaveShift'], 'version'>,
) =>
  old
    ? data(
        api.PUT('/api/supervision/shifts/{id}', {
          params: { path: { id: old.id } },
          body: { ...body, version: old.version },
          ...once(),
        }),
      )
    : data(api.POST('/api/supervision/shifts', { body: { ...body, version: 0 }, ...once() }))
export const copyWeek = (from: string, to: string) =>
  data(api.POST('/api/supervision/shifts/copy', { body: { from, to }, ...once() }))

export const getLine = () => data(api.GET('/api/cti/line'))
export const getWallboard = (_: string, signal?: AbortSignal) => data(api.GET('/api/supervision/wallboard', { signal }))
export const listAlarms = (query: Paging, signal?: AbortSignal) =>
  data(api.GET('/api/supervision/alarms', { params: { query }, signal }))
export const getAlarm = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/supervision/alarms/{id}', { params: { path: { id: Number(id) } }, signal }))
export const ackAlarm = (id: number, note: string) =>
  data(api.POST('/api/supervision/alarms/{id}/ack', { params: { path: { id } }, body: { note }, ...once() }))
export const listReports = (query: Paging & { kind?: Report['kind'] }, signal?: AbortSignal) =>
  data(api.GET('/api/supervision/reports', { params: { query }, signal }))
export const getReport = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/supervision/reports/{id}', { params: { path: { id: Number(id) } }, signal }))
export const listNuisance = (_: string, signal?: AbortSignal) => data(api.GET('/api/supervision/nuisance', { signal }))
export const markNuisance = (body: Schemas['CtiMark']) =>
  data(api.POST('/api/supervision/nuisance', { body, ...once() }))
export const endNuisance = (id: number) =>
  data(api.POST('/api/supervision/nuisance/{id}/end', { params: { path: { id } }, ...once() }))
export const listReveals = (query: Paging, signal?: AbortSignal) =>
  data(api.GET('/api/reveals', { params: { query }, signal }))
