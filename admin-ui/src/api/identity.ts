import { api, data, type Schemas } from './client'

type Told = Schemas['IdentityMe']

/** The document cannot say that an object may be null; these four are when they do not apply. */
type MayBeNull = 'user' | 'enterprise' | 'institution' | 'department'

export type Session = Omit<Told, MayBeNull> & { [K in MayBeNull]: Told[K] | null }
export type Captcha = Schemas['CaptchaOutputBody']

/** Who is signed in, and what the page needs before anybody is: district, demo, CSRF token. */
export const getSession = () => data(api.GET('/api/session'))

/** A fresh captcha; the one before is no longer accepted. */
export const createCaptcha = () => data(api.POST('/api/captchas'))

/** First step of signing in. `next` says whether a code was sent to the phone. */
export const signInWithPassword = (body: Schemas['PasswordInputBody']) =>
  data(api.POST('/api/sessions/password', { body }))

/** Second step: the code from the phone. */
export const signInWithCode = (code: string) => data(api.POST('/api/sessions/second-factor', { body: { code } }))

/** Ends the session on the server. */
export const signOut = () => data(api.DELETE('/api/session'))

export type Account = Schemas['IdentityAccountView']

/** My own account, and where I am signed in. */
export const getAccount = () => data(api.GET('/api/account'))

export const changePassword = (current: string, password: string) =>
  data(api.POST('/api/account/password', { body: { current, password } }))

export const endSession = (id: number) => data(api.POST('/api/account/sessions/{id}/end', { params: { path: { id } } }))

export const endOtherSessions = () => data(api.POST('/api/account/end-other-sessions'))
