import { api, data, idempotent, type Schemas } from '@/api/client'

export type Channel = Schemas['ChannelView']
export type ChannelFields = Omit<Schemas['ChannelFields'], '$schema'>
export type ChannelKind = Channel['kind']
export type ChannelState = Channel['state']
export type Stats = Schemas['ChannelStats']
export type Line = Schemas['ChannelLine']
export type Rule = Schemas['ChannelRuleView']
export type Options = Schemas['ChannelOptions']
export type Group = 'channel' | 'day' | 'month'
export type Sort = 'visits' | 'visitors' | 'registrations' | 'verified' | 'applications' | 'approved' | 'conversion'

export const kinds: Record<ChannelKind, string> = {
  street: '街道',
  bank: '银行网点',
  event: '活动',
  wechat: '公众号',
  poster: '海报',
  other: '其他',
}

export const states: Record<ChannelState, { text: string; tone: 'success' | 'info' | 'warning' | 'danger' }> = {
  live: { text: '使用中', tone: 'success' },
  ahead: { text: '未开始', tone: 'info' },
  over: { text: '已到期', tone: 'warning' },
  off: { text: '已停用', tone: 'info' },
}

/** The days in words. */
export const period = (c: { from: string; to: string }): string =>
  c.from || c.to ? `${c.from || '即日'} 至 ${c.to || '长期'}` : '长期'

/** The names of a batch: 海报 × 3 is 海报01, 海报02, 海报03. */
export const numbered = (name: string, count: number): string[] =>
  count === 1
    ? [name.trim()]
    : Array.from({ length: count }, (_, i) => name.trim() + String(i + 1).padStart(String(count).length, '0'))

/** A share of ten thousand as a percentage; nothing of nothing is a dash. */
export const percent = (n: number): string => (n < 0 ? '—' : `${(n / 100).toFixed(1)}%`)

export const picture = (id: number, kind: 'png' | 'svg', download = false): string =>
  `/api/channels/${id}/qr.${kind}${download ? '?download=1' : ''}`
export const pictures = (ids: number[]): string => `/api/channel-pictures?ids=${ids.join(',')}`

const byId = (id: number) => ({ params: { path: { id } } })

export const listChannels = (
  query: { kind?: ChannelKind; state?: ChannelState; q?: string; cursor?: string; limit?: number },
  signal?: AbortSignal,
) => data(api.GET('/api/channels', { params: { query }, signal }))
export const getChannel = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/channels/{id}', { ...byId(Number(id)), signal }))
export const createChannels = (names: string[], fields: ChannelFields, key: string) =>
  data(api.POST('/api/channels', { body: { names, fields }, ...idempotent(key) }))
export const updateChannel = (c: Channel, name: string, fields: ChannelFields) =>
  data(api.PUT('/api/channels/{id}', { ...byId(c.id), body: { version: c.version, name, fields } }))
export const getOptions = () => data(api.GET('/api/channel-options'))
export const getRule = (_: string, signal?: AbortSignal) => data(api.GET('/api/channel-rule', { signal }))
export const setRule = (body: Rule) => data(api.PUT('/api/channel-rule', { body }))
export const getStats = (
  query: {
    group: Group
    channelId?: number
    kind?: ChannelKind
    from?: string
    to?: string
    sort?: Sort
    ascending?: boolean
  },
  signal?: AbortSignal,
) => data(api.GET('/api/channel-stats', { params: { query }, signal }))
export const getOrigin = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/channel-origins/applications/{id}', { ...byId(Number(id)), signal })).then((page) => page.items)

/** What may be changed of a channel as the form holds it. */
export const fieldsOf = (c: Channel): ChannelFields => ({
  kind: c.kind,
  owner: c.owner,
  landing: c.landing,
  from: c.from,
  to: c.to,
  on: c.on,
})
