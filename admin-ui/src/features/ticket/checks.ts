export interface TicketValues {
  type: string
  urgency: string
  title: string
  body: string
  contactName: string
  phone: string
  enterpriseName: string
  area: string
  fields: Record<string, string[]>
}

/** The credit code that was typed where a company is named, '' when it is a name. The server checks its digit. */
export function creditCodeIn(text: string): string {
  const code = text.replace(/\s/g, '').toUpperCase()
  return /^[0-9A-Z]{18}$/.test(code) ? code : ''
}

/** What keeps a request from being written down. The server checks the number itself. */
export function checkTicket(values: TicketValues): Partial<Record<keyof TicketValues, string>> {
  const found: Partial<Record<keyof TicketValues, string>> = {}
  if (!values.contactName.trim()) found.contactName = '请填写联系人'
  if (values.phone.replace(/[^\d０-９]/g, '').length < 8) found.phone = '请填写 11 位手机号，或带区号的固定电话'
  if (!values.type) found.type = '请选择诉求类型'
  if (!values.title.trim()) found.title = '请填写标题'
  if (!values.body.trim()) found.body = '请填写诉求内容'
  return found
}
