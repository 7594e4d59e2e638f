import { api, call } from '@/api/client'

/** Tells that a page was opened by the link of a channel; the answer holds what this browser carries from now on. */
export const tellVisit = (code: string, token: string | undefined) =>
  call(api.POST('/api/channel-visits', { body: { code, token } }))
