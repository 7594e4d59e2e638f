import { api, call, idempotent } from './client'
import type { paths } from './schema'
import type { Session } from './session'

type Body<P extends keyof paths> = paths[P] extends {
  post: { requestBody: { content: { 'application/json': infer B } } }
}
  ? B
  : never

export type SmsCodeRequest = Body<'/api/sms-codes'>
export type Registration = Body<'/api/registrations'>
export type PasswordSignIn = Body<'/api/sessions/password'>
export type SmsSignIn = Body<'/api/sessions/sms'>

export const createCaptcha = () => call(api.POST('/api/captchas'))

export const sendSmsCode = (body: SmsCodeRequest) => call(api.POST('/api/sms-codes', { body }))

export const register = (body: Registration, key: string): Promise<Session> =>
  call(api.POST('/api/registrations', { body, headers: idempotent(key) }))

export const signInByPassword = (body: PasswordSignIn) => call(api.POST('/api/sessions/password', { body }))

export const signInBySms = (body: SmsSignIn) => call(api.POST('/api/sessions/sms', { body }))

export const confirmSecondFactor = (code: string) =>
  call(api.POST('/api/sessions/second-factor', { body: { code } }))

/** Where the browser goes so that WeChat tells the server who is holding the phone; it comes back to `path`. */
export function wechatAuthorizeUrl(path: string): string {
  return `/wechat/authorize?return=${encodeURIComponent(path)}`
}

export type Account = paths['/api/account']['get']['responses'][200]['content']['application/json']

/** My own account, and where I am signed in. */
export const getAccount = (): Promise<Account> => call(api.GET('/api/account'))

export const endSession = (id: number) =>
  call(api.POST('/api/account/sessions/{id}/end', { params: { path: { id } } }))

export const endOtherSessions = () => call(api.POST('/api/account/end-other-sessions'))

/** The address inside WeChat that ties the WeChat account to mine; it comes back to `path`. */
export const bindWechat = (path: string) =>
  call(api.POST('/api/account/wechat/bind', { body: { return: path } }))

export const unbindWechat = () => call(api.POST('/api/account/wechat/unbind'))
