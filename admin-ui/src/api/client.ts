// The one place that knows HTTP: cookie session, CSRF header, idempotency keys, and problem+json turned into ApiError.
import createClient, { type Middleware } from 'openapi-fetch'
import type { components, paths } from './schema'

/** The object types of the interface document: `Schemas['Session']`. */
export type Schemas = components['schemas']

/** One input that is wrong and what to do about it. */
export interface FieldError {
  field: string
  message: string
}

/** The one error of every call. `message` is a Chinese sentence for the person; `code` is stable, for programs. */
export class ApiError extends Error {
  /** HTTP status; 0 when no answer arrived. */
  readonly status: number
  readonly code: string
  readonly fields: FieldError[]
  /** Quote it to support; empty when no answer arrived. */
  readonly traceId: string
  /** Seconds after which trying again makes sense; 0 when unknown. */
  readonly retryAfter: number

  constructor(init: {
    status: number
    code: string
    message: string
    fields?: FieldError[]
    traceId?: string
    retryAfter?: number
  }) {
    super(init.message)
    this.name = 'ApiError'
    this.status = init.status
    this.code = init.code
    this.fields = init.fields ?? []
    this.traceId = init.traceId ?? ''
    this.retryAfter = init.retryAfter ?? 0
  }
}

/** One page of a list. `nextCursor` is empty on the last page. */
export interface Page<T> {
  items: T[]
  nextCursor?: string
  /** A sentence for the reader on how the list was found. */
  note?: string
}

let csrfToken = ''
let unauthorized: () => void = () => {}

/** Remembers the session's CSRF token; the session store calls it whenever it learns a session. */
export function setCsrfToken(token: string): void {
  csrfToken = token
}

/** Says what happens when the server no longer knows the session (main.ts: to the login page, with return). */
export function onUnauthorized(handler: () => void): void {
  unauthorized = handler
}

/** A new idempotency key: one per form opening, kept over retries. */
export function newKey(): string {
  // randomUUID exists in secure contexts only; an intranet address without TLS is none.
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID()
  const b = crypto.getRandomValues(new Uint8Array(16))
  b[6] = (b[6]! & 0x0f) | 0x40
  b[8] = (b[8]! & 0x3f) | 0x80
  const hex = Array.from(b, (n) => n.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Request options that carry the idempotency key: `api.POST(path, { body, ...idempotent(key) })`. */
export function idempotent(key: string): { headers: Record<string, string> } {
  return { headers: { 'Idempotency-Key': key } }
}

const byStatus: Record<number, string> = {
  400: '请求内容无法识别，请刷新页面后重试',
  401: '登录已失效，请重新登录',
  403: '您没有办理此事项的权限，如有需要请联系平台的系统管理员',
  404: '没有找到您要的内容，可能已被删除，或您没有查看权限',
  409: '内容已被他人更新，请刷新后重试',
  413: '提交的内容或文件过大，请减小后重试',
  422: '填写的内容有误，请检查后重新提交',
  429: '操作过于频繁，请稍后再试',
  502: '服务暂时不可用，请稍后重试',
  503: '服务暂时不可用，请稍后重试',
  504: '服务响应超时，请稍后重试',
}

function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

/** Reads an answer that is not a success. Anything but problem+json gets a Chinese sentence by its status. */
export function parseProblem(status: number, headers: Headers, text: string): ApiError {
  let body: Partial<Schemas['Problem']> = {}
  try {
    const parsed: unknown = JSON.parse(text)
    if (parsed !== null && typeof parsed === 'object') body = parsed
  } catch {
    // a proxy's HTML page: nothing in it is for the person
  }
  const header = Number(headers.get('Retry-After') ?? '')
  return new ApiError({
    status,
    code: body.code || `HTTP_${status}`,
    message: body.detail || byStatus[status] || '系统出现问题，请稍后重试或联系客服',
    fields: Array.isArray(body.errors) ? body.errors : [],
    traceId: body.traceId || headers.get('X-Request-Id') || '',
    retryAfter: body.retryAfter || (Number.isFinite(header) ? header : 0),
  })
}

/** What to say when no answer arrived. A command may have got through: the idempotency key makes a repeat harmless. */
export function networkError(method: string): ApiError {
  return new ApiError({
    status: 0,
    code: 'NETWORK',
    message: isSafe(method)
      ? '网络连接失败，请检查网络后重试'
      : '网络连接中断，暂不能确认是否提交成功。请检查网络后再次提交，系统不会重复受理',
  })
}

/** Any thrown thing as ApiError, for the pages that show it. */
export function toApiError(e: unknown): ApiError {
  if (e instanceof ApiError) return e
  return new ApiError({ status: 0, code: 'CLIENT', message: '页面出现问题，请刷新后重试' })
}

/** Whether a call was given up by ourselves (page left, filter changed): nothing to show. */
export function isAborted(e: unknown): boolean {
  return e instanceof DOMException && e.name === 'AbortError'
}

/** A lost session leads to the login page, except while signing in, where 401 means a wrong password. */
function reject(error: ApiError, path: string): never {
  if (error.status === 401 && !/^\/api\/sessions?(\/|$)/.test(path)) unauthorized()
  throw error
}

const middleware: Middleware = {
  onRequest({ request }) {
    if (!isSafe(request.method) && csrfToken !== '') request.headers.set('X-CSRF-Token', csrfToken)
    return request
  },
  async onResponse({ request, response }) {
    if (response.ok) return undefined
    const error = parseProblem(response.status, response.headers, await response.text())
    return reject(error, new URL(request.url).pathname)
  },
  onError({ request, error }) {
    if (isAborted(error)) return undefined
    return networkError(request.method)
  },
}

/** The typed client. Every call rejects with ApiError; read results through `data()`. */
export const api = createClient<paths>({
  baseUrl: typeof location === 'undefined' ? '' : location.origin,
  credentials: 'same-origin',
  // looked up per call, so that a test can stand in
  fetch: (request) => globalThis.fetch(request),
})
api.use(middleware)

/** The body of a successful call: `const session = await data(api.GET('/api/session'))`. */
export async function data<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T
}

/** What the virus scanner has said of a file since it was sent. */
export async function fileState(id: number): Promise<Schemas['FileView']['state']> {
  return (await data(api.GET('/api/files/{id}/state', { params: { path: { id } } }))).state
}

/** Sends one file with progress from 0 to 1. fetch reports no upload progress, hence XMLHttpRequest. */
export function sendForm<T>(
  path: string,
  fields: Record<string, string>,
  file: File,
  onProgress: (done: number) => void,
  signal?: AbortSignal,
): Promise<T> {
  return new Promise((resolve, rejectPromise) => {
    const xhr = new XMLHttpRequest()
    xhr.open('POST', path)
    xhr.withCredentials = true
    if (csrfToken !== '') xhr.setRequestHeader('X-CSRF-Token', csrfToken)
    xhr.upload.onprogress = (e) => {
      if (e.lengthComputable && e.total > 0) onProgress(e.loaded / e.total)
    }
    xhr.onload = () => {
      try {
        if (xhr.status >= 200 && xhr.status < 300) return resolve(JSON.parse(xhr.responseText))
        const headers = new Headers()
        for (const name of ['Retry-After', 'X-Request-Id']) {
          const value = xhr.getResponseHeader(name)
          if (value !== null) headers.set(name, value)
        }
        reject(parseProblem(xhr.status, headers, xhr.responseText), path)
      } catch (e) {
        rejectPromise(toApiError(e))
      }
    }
    xhr.onerror = () => rejectPromise(networkError('POST'))
    xhr.onabort = () => rejectPromise(new DOMException('aborted', 'AbortError'))
    signal?.addEventListener('abort', () => xhr.abort())
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.append(name, value)
    form.append('file', file)
    xhr.send(form)
  })
}

/** Sends one attachment, to be linked by a command later. */
export const sendFile = (
  file: File,
  purpose: string,
  onProgress: (done: number) => void,
  signal?: AbortSignal,
): Promise<Schemas['FileView']> => sendForm('/api/files', { purpose }, file, onProgress, signal)
