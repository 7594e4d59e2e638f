export type ErrorKind =
  | 'network'
  | 'invalid'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'too_many'
  | 'unavailable'
  | 'internal'

const fallback: Record<ErrorKind, string> = {
  network: '网络连接不上，请检查网络后重试。',
  invalid: '填写的内容有误，请检查后再提交。',
  unauthorized: '登录已失效，请重新登录。',
  forbidden: '您没有权限办理这件事，请联系本企业的管理员。',
  not_found: '没有找到您要的内容，可能已经删除或不对您开放。',
  conflict: '内容已经有了新的变化，请刷新后再办理。',
  too_many: '操作太频繁，请稍后再试。',
  unavailable: '服务暂时不可用，请稍后再试。',
  internal: '系统出了问题，请稍后再试；多次出现请联系客服。',
}

interface Details {
  status?: number
  code?: string
  message?: string
  fields?: Record<string, string>
  traceId?: string
  retryAfter?: number
}

/** The one error that leaves src/api. Its message is a Chinese sentence that may be shown as it is. */
export class ApiError extends Error {
  readonly kind: ErrorKind
  readonly status: number
  readonly code: string
  /** Field name → what is wrong with it. */
  readonly fields: Record<string, string>
  readonly traceId: string
  /** Seconds to wait before trying again; 0 when the server named none. */
  readonly retryAfter: number

  constructor(kind: ErrorKind, details: Details = {}) {
    super(details.message || fallback[kind])
    this.name = 'ApiError'
    this.kind = kind
    this.status = details.status ?? 0
    this.code = details.code ?? ''
    this.fields = details.fields ?? {}
    this.traceId = details.traceId ?? ''
    this.retryAfter = details.retryAfter ?? 0
  }
}

/** Turns whatever was thrown into an ApiError, so that callers handle one type. */
export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown
  if (thrown instanceof DOMException && thrown.name === 'AbortError') {
    return new ApiError('network', { message: '等待时间过长，请检查网络后重试。' })
  }
  if (thrown instanceof TypeError) return new ApiError('network')
  return new ApiError('internal')
}

function kindOf(status: number): ErrorKind {
  switch (status) {
    case 401:
      return 'unauthorized'
    case 403:
      return 'forbidden'
    case 404:
    case 410:
      return 'not_found'
    case 409:
    case 412:
      return 'conflict'
    case 429:
      return 'too_many'
    case 502:
    case 503:
    case 504:
      return 'unavailable'
  }
  return status >= 500 ? 'internal' : 'invalid'
}

/** Reads a problem+json body; anything else (a proxy's HTML page) becomes the general sentence of its status. */
export function parseProblem(status: number, body: string, retryAfterHeader: string | null): ApiError {
  const problem = parseObject(body)
  const fields: Record<string, string> = {}
  for (const entry of Array.isArray(problem.errors) ? problem.errors : []) {
    const { field, message } = (entry ?? {}) as Record<string, unknown>
    if (typeof field === 'string' && typeof message === 'string')
      fields[field.replace(/^body\./, '')] ??= message
  }
  const seconds = typeof problem.retryAfter === 'number' ? problem.retryAfter : Number(retryAfterHeader)
  return new ApiError(kindOf(status), {
    status,
    code: text(problem.code),
    message: text(problem.detail),
    fields,
    traceId: text(problem.traceId),
    retryAfter: Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds) : 0,
  })
}

function parseObject(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
