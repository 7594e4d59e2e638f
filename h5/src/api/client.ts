import createClient, { type Middleware } from 'openapi-fetch'

import { arrival } from './arrival'
import { ApiError, asApiError, parseProblem } from './error'
import type { components, paths } from './schema'

const timeout = 20_000

let csrfToken = ''
let onSignedOut: () => void = () => undefined

/** Remembers the session's token; every unsafe request carries it. */
export function setCsrfToken(token: string): void {
  csrfToken = token
}

/** Sets what happens when the server no longer knows our session. */
export function setSignedOutHandler(handler: () => void): void {
  onSignedOut = handler
}

// Answers of the sign-in operations say "wrong password", not "your session is over".
const signIn = /^\/api\/(session|sessions\/.*|registrations|captchas|sms-codes)$/

function refuse(path: string, problem: ApiError): ApiError {
  if (problem.kind === 'unauthorized' && !signIn.test(path)) onSignedOut()
  return problem
}

const guard: Middleware = {
  onRequest({ request }) {
    if (!['GET', 'HEAD'].includes(request.method)) request.headers.set('X-CSRF-Token', csrfToken)
    const came = arrival()
    if (came) request.headers.set('X-Huiqi-Channel', came)
    return request
  },
  async onResponse({ request, response }) {
    if (response.ok) return
    const problem = parseProblem(response.status, await response.text(), response.headers.get('Retry-After'))
    throw refuse(new URL(request.url).pathname, problem)
  },
  onError({ error }) {
    return asApiError(error)
  },
}

async function fetchInTime(request: Request): Promise<Response> {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), timeout)
  try {
    return await fetch(request, { signal: abort.signal })
  } finally {
    clearTimeout(timer)
  }
}

/** The typed client. Wrap each use in call(). */
export const api = createClient<paths>({
  baseUrl: window.location.origin,
  credentials: 'same-origin',
  fetch: fetchInTime,
})
api.use(guard)

/** Resolves to the body of a success; rejects with an ApiError, always. */
export async function call<R extends { data?: unknown }>(
  request: Promise<R>,
): Promise<Exclude<R['data'], undefined>> {
  try {
    return (await request).data as Exclude<R['data'], undefined>
  } catch (thrown) {
    throw asApiError(thrown)
  }
}

/** The header that lets a creating POST be sent again without creating twice. */
export function idempotent(key: string): { 'Idempotency-Key': string } {
  return { 'Idempotency-Key': key }
}

/** A file the server keeps. It belongs to its uploader until a command links it by id. */
export interface StoredFile {
  id: number
  name: string
  size: number
  mime: string
  url: string
  /** What is not available cannot be downloaded: it waits for the virus scanner, or was put away by it. */
  state?: FileState
}

export type FileState = components['schemas']['FileView']['state']

/** What the scanner has said of a file since it was sent. */
export async function fileState(id: number): Promise<FileState> {
  return (await call(api.GET('/api/files/{id}/state', { params: { path: { id } } }))).state
}

/** Sends one file; fetch cannot report progress of a request, so this is the one place that uses XMLHttpRequest. */
export function uploadFile(
  file: File,
  purpose: string,
  onProgress: (fraction: number) => void,
): Promise<StoredFile> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', '/api/files')
    request.setRequestHeader('X-CSRF-Token', csrfToken)
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total)
    }
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) {
        resolve(JSON.parse(request.responseText) as StoredFile)
        return
      }
      const wait = request.getResponseHeader('Retry-After')
      reject(refuse('/api/files', parseProblem(request.status, request.responseText, wait)))
    }
    request.onerror = () => reject(new ApiError('network'))
    const body = new FormData()
    body.append('purpose', purpose)
    body.append('file', file)
    request.send(body)
  })
}
