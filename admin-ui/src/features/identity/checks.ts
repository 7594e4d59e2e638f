export interface PasswordValues {
  current: string
  password: string
  again: string
}

/** What keeps a new password from being sent; how strong it must be is the server's to say. */
export function checkPassword(values: PasswordValues): Partial<Record<keyof PasswordValues, string>> {
  const found: Partial<Record<keyof PasswordValues, string>> = {}
  if (!values.current) found.current = '请填写当前密码'
  if (values.password.length < 10) found.password = '新密码至少 10 个字符，含大写字母、小写字母、数字、符号中的三种'
  if (values.again !== values.password) found.again = '两次填写的新密码不一致'
  return found
}
