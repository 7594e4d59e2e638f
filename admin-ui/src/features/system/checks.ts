export interface UserValues {
  party: string
  name: string
  account: string
  phone: string
  departmentId: number | undefined
  institutionId: number | undefined
  roles: string[]
}

/** What keeps an account from being sent. The server checks the number itself. */
export function checkUser(values: UserValues, known: boolean): Partial<Record<keyof UserValues, string>> {
  const found: Partial<Record<keyof UserValues, string>> = {}
  if (!values.name.trim()) found.name = '请填写姓名'
  if (!known && !/^[a-z][a-z0-9._-]{2,31}$/i.test(values.account.trim())) {
    found.account = '账号为 3 至 32 位的字母、数字、点、横线或下划线，以字母开头'
  }
  if (!known && !values.phone.trim()) found.phone = '请填写手机号，登录时接收短信验证码'
  if (values.party === 'government' && !values.departmentId) found.departmentId = '请选择所属部门'
  if (values.party === 'institution' && !values.institutionId) found.institutionId = '请选择所属机构'
  if (values.roles.length === 0) found.roles = '请至少选择一个角色'
  return found
}
