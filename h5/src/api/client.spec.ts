import { beforeEach, describe, expect, it, vi } from 'vitest'

import { api, call, setCsrfToken, setSignedOutHandler } from './client'
import { ApiError, parseProblem } from './error'
import { register } from './identity'

function answer(status: number, body: string, headers: Record<string, string> = {}) {
  const fetched = vi.fn<(request: Request) => Promise<Response>>(() =>
    Promise.resolve(new Response(status === 204 ? null : body, { status, headers })),
  )
  vi.stubGlobal('fetch', fetched)
  return fetched
}

async function failure(promise: Promise<unknown>): Promise<ApiError> {
  const thrown: unknown = await promise.then(
    () => undefined,
    (e: unknown) => e,
  )
  expect(thrown).toBeInstanceOf(ApiError)
  return thrown as ApiError
}

const json = { 'Content-Type': 'application/json' }
const someone = {
  phone: '13800138000',
  code: '123456',
  companyName: '甲公司',
  contactName: '王芳',
  consent: true,
}

describe('parseProblem', () => {
  it('reads every part of a problem+json body', () => {
    const body = {
      status: 429,
      code: 'SMS_TOO_OFTEN',
      detail: '发送太频繁，请 60 秒后再试。',
      errors: [{ field: 'body.phone', message: '这个号码今天已发送多次。' }],
      traceId: 'abc',
      retryAfter: 60,
    }
    const error = parseProblem(429, JSON.stringify(body), null)
    expect(error).toMatchObject({
      kind: 'too_many',
      status: 429,
      code: 'SMS_TOO_OFTEN',
      message: '发送太频繁，请 60 秒后再试。',
      fields: { phone: '这个号码今天已发送多次。' },
      traceId: 'abc',
      retryAfter: 60,
    })
  })

  it.each([
    [400, 'invalid'],
    [422, 'invalid'],
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'not_found'],
    [409, 'conflict'],
    [500, 'internal'],
    [503, 'unavailable'],
  ])('status %i is %s', (status, kind) => {
    expect(parseProblem(status, '{}', null).kind).toBe(kind)
  })

  it("says a Chinese sentence for a proxy's page, and reads Retry-After", () => {
    const error = parseProblem(502, '<html>Bad Gateway</html>', '30')
    expect(error.message).toBe('服务暂时不可用，请稍后再试。')
    expect(error.retryAfter).toBe(30)
  })
})

describe('client', () => {
  const signedOut = vi.fn()

  beforeEach(() => {
    signedOut.mockClear()
    setSignedOutHandler(signedOut)
    setCsrfToken('token-1')
  })

  it('sends the CSRF token and the idempotency key with a creating POST', async () => {
    const fetched = answer(200, '{"signedIn":true}', json)
    await register(someone, 'key-1')
    const request = fetched.mock.calls[0]![0]
    expect(request.headers.get('X-CSRF-Token')).toBe('token-1')
    expect(request.headers.get('Idempotency-Key')).toBe('key-1')
    expect(await request.json()).toEqual(someone)
  })

  it('sends no token with a GET', async () => {
    const fetched = answer(200, '{}', json)
    await call(api.GET('/api/session'))
    expect(fetched.mock.calls[0]![0].headers.has('X-CSRF-Token')).toBe(false)
  })

  it('rejects with the problem of the answer', async () => {
    answer(409, '{"code":"PHONE_TAKEN","detail":"这个手机号已经注册，请直接登录。"}')
    const error = await failure(register(someone, 'k'))
    expect(error).toMatchObject({
      kind: 'conflict',
      code: 'PHONE_TAKEN',
      message: '这个手机号已经注册，请直接登录。',
    })
  })

  it('says in Chinese that the network is gone', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')))
    const error = await failure(call(api.GET('/api/session')))
    expect(error).toMatchObject({ kind: 'network', message: '网络连接不上，请检查网络后重试。' })
  })

  it('tells that the session is over on a 401, but not when a password was wrong', async () => {
    answer(401, '{}')
    // Any path but those of signing in; the feature's own paths join the schema with the feature.
    await failure(call(api.GET('/api/tickets' as '/api/session')))
    expect(signedOut).toHaveBeenCalledTimes(1)
    const body = { account: 'a', password: 'b', captchaId: 'c', captchaAnswer: 'd' }
    await failure(call(api.POST('/api/sessions/password', { body })))
    expect(signedOut).toHaveBeenCalledTimes(1)
  })
})
