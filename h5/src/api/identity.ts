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
  return `/api/wechat/authorize?return=${encodeURIComponent(path)}`
}
