import type { Partner, PartnerFields } from './api'

export interface PartnerValues {
  code: string
  name: string
  note: string
  url: string
  /** One network a line. */
  networks: string
  events: string[]
  fields: string[]
  showNames: boolean
  callsPerMinute: number
  callsPerDay: number
}

export const lines = (text: string): string[] =>
  text
    .split(/[\n,，;；]/)
    .map((line) => line.trim())
    .filter(Boolean)

/** What the form holds for a partner, or for a new one. */
export function valuesOf(partner: Partner | null, standard: string[]): PartnerValues {
  return {
    code: partner?.code ?? '',
    name: partner?.name ?? '',
    note: partner?.note ?? '',
    url: partner?.url ?? '',
    networks: partner?.allowCidrs.join('\n') ?? '',
    events: [...(partner?.events ?? [])],
    fields: [...(partner?.fields ?? standard)],
    showNames: partner?.showNames ?? false,
    callsPerMinute: partner?.callsPerMinute ?? 120,
    callsPerDay: partner?.callsPerDay ?? 20000,
  }
}

/** What the server is sent. */
export function fieldsOf(v: PartnerValues): PartnerFields {
  return {
    name: v.name,
    note: v.note,
    url: v.url.trim(),
    allowCidrs: lines(v.networks),
    events: v.events,
    fields: v.fields,
    showNames: v.showNames,
    callsPerMinute: v.callsPerMinute,
    callsPerDay: v.callsPerDay,
  }
}

export function checkPartner(v: PartnerValues): Partial<Record<keyof PartnerValues, string>> {
  const wrong: Partial<Record<keyof PartnerValues, string>> = {}
  if (v.name.trim() === '') wrong.name = '请填写对接方名称'
  if (!/^[a-z][a-z0-9-]{1,30}[a-z0-9]$/.test(v.code.trim())) {
    wrong.code = '3 至 32 位小写字母、数字或连字符，以字母开头'
  }
  if (v.url.trim() !== '' && !/^https?:\/\/\S+$/.test(v.url.trim())) wrong.url = '请填写以 https:// 开头的完整地址'
  if (v.events.length === 0) wrong.events = '请至少选择一种事件'
  return wrong
}
