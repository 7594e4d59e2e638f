import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { api, ApiError, data, idempotent, newKey, onUnauthorized, setCsrfToken } from './client'

let sent: Request[]
let answer: () => Response | Promise<Response>

beforeEach(() => {
  sent = []
  vi.stubGlobal('fetch', async (request: Request) => {
    sent.push(request)
    return answer()
  })
  setCsrfToken('')
  onUnauthorized(() => {})
})
afterEach(() => vi.unstubAllGlobals())

function problem(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return new Response(text, { status, headers: { 'Content-Type': 'application/problem+json', ...headers } })
}

async function failure(call: Promise<unknown>): Promise<ApiError> {
  const e = await call.then(
    () => null,
    (e: unknown) => e,
  )
  expect(e).toBeInstanceOf(ApiError)
  return e as ApiError
}

describe('errors', () => {
  it('reads every part of a problem', async () => {
    answer = () =>
      problem(422, {
        title: 'Unprocessable',
        status: 422,
        code: 'CODE_EXPIRED',
        detail: '验证码已过期，请重新获取',
        errors: [{ field: 'code', message: '请重新获取' }],
        traceId: 't-1',
        retryAfter: 30,
      })
    const e = await failure(api.POST('/api/sessions/second-factor', { body: { code: '1' } }))
    expect(e).toMatchObject({
      status: 422,
      code: 'CODE_EXPIRED',
      message: '验证码已过期，请重新获取',
      fields: [{ field: 'code', message: '请重新获取' }],
      traceId: 't-1',
      retryAfter: 30,
    })
  })

  it('takes Retry-After from the header when the body says nothing', async () => {
    answer = () => problem(429, { code: 'TOO_MANY', detail: '稍后再试' }, { 'Retry-After': '17' })
    expect((await failure(api.POST('/api/captchas'))).retryAfter).toBe(17)
  })

  it("never shows a proxy's page", async () => {
    answer = () => problem(502, '<html><h1>Bad Gateway</h1></html>')
    const e = await failure(api.GET('/api/session'))
    expect(e.code).toBe('HTTP_502')
    expect(e.message).toBe('服务暂时不可用，请稍后重试')
  })

  it('tells a failed reading from a command that may have got through', async () => {
    answer = () => Promise.reject(new TypeError('Failed to fetch'))
    const read = await failure(api.GET('/api/session'))
    const command = await failure(api.POST('/api/captchas'))
    expect([read.status, read.code]).toEqual([0, 'NETWORK'])
    expect(read.message).toBe('网络连接失败，请检查网络后重试')
    expect(command.message).toContain('不会重复受理')
  })

  it('passes an abandoned call on as it is', async () => {
    answer = () => Promise.reject(new DOMException('gone', 'AbortError'))
    await expect(api.GET('/api/session')).rejects.toHaveProperty('name', 'AbortError')
  })
})

describe('session', () => {
  it('sends the CSRF token and the idempotency key with commands only', async () => {
    setCsrfToken('token')
    answer = () => new Response('{}', { status: 200, headers: { 'Content-Type': 'application/json' } })
    const key = newKey()
    await api.POST('/api/captchas', idempotent(key))
    await data(api.GET('/api/session'))
    expect(sent[0]!.headers.get('X-CSRF-Token')).toBe('token')
    expect(sent[0]!.headers.get('Idempotency-Key')).toBe(key)
    expect(sent[1]!.headers.get('X-CSRF-Token')).toBeNull()
  })

  it('leads to the login page when the session is lost, not when a password is wrong', async () => {
    const lost = vi.fn()
    onUnauthorized(lost)
    answer = () => problem(401, { code: 'SIGN_IN_REQUIRED', detail: '请先登录' })
    await failure(
      api.POST('/api/sessions/password', {
        body: { account: 'a', password: 'b', captchaId: '', captchaAnswer: '' },
      }),
    )
    expect(lost).not.toHaveBeenCalled()
    await failure(api.POST('/api/captchas'))
    expect(lost).toHaveBeenCalledTimes(1)
  })

  it('makes keys that are UUIDs, also where randomUUID is missing', () => {
    const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
    expect(newKey()).toMatch(shape)
    vi.stubGlobal('crypto', { getRandomValues: (b: Uint8Array) => b.fill(255) })
    expect(newKey()).toMatch(shape)
  })
})
