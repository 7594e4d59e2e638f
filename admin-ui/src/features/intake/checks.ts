import type { MessageChannel, NewKey, NewTicket } from './api'

/** What is wrong with a ticket made of a message, before it is sent. */
export function check(v: NewTicket, channel: MessageChannel): Partial<Record<keyof NewTicket, string>> {
  const wrong: Partial<Record<keyof NewTicket, string>> = {}
  if (!v.type) wrong.type = '请选择诉求类型'
  if (!v.title.trim()) wrong.title = '请填写标题'
  if (!v.body.trim()) wrong.body = '请填写诉求内容'
  if (!v.contactName.trim()) wrong.contactName = '请填写联系人'
  if (!v.phone?.trim() && channel !== 'mail') wrong.phone = '请填写联系电话'
  return wrong
}

/** What is wrong with a key, before it is issued. */
export function checkKey(v: NewKey): Partial<Record<keyof NewKey, string>> {
  const wrong: Partial<Record<keyof NewKey, string>> = {}
  if ([...v.partner.trim()].length < 2) wrong.partner = '请填写对接方名称，至少 2 个字'
  if (!(v.perMinute! >= 1 && v.perMinute! <= 6000)) wrong.perMinute = '每分钟 1 到 6000 次'
  if (!(v.perDay! >= 1 && v.perDay! <= 1_000_000)) wrong.perDay = '每天 1 到 100 万次'
  return wrong
}
