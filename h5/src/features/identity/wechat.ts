import type { RouteLocationNormalized } from 'vue-router'

import { wechatAuthorizeUrl } from '@/api/identity'
import { useSession } from '@/stores/session'

/** Leaves the app; a function of its own because a test cannot leave. */
export const leave = { to: (url: string): void => window.location.assign(url) }

const sandboxed = 'hq-wechat-sandbox'
const asked = 'hq-wechat-asked'

/** Whether this browser is WeChat's own (the desktop client's included), or a demo's that stands in for it. */
export function insideWeChat(userAgent: string = navigator.userAgent): boolean {
  return /MicroMessenger/i.test(userAgent) || sessionStorage.getItem(sandboxed) !== null
}

/** The server forgets after fifteen minutes who WeChat said is holding the phone. */
const fresh = 10 * 60_000

function askedLately(path: string): boolean {
  const at = sessionStorage.getItem(asked)
  if (at === null) return false
  // Whoever did not register when the app was opened looks around in peace, until a page needs to know them.
  return path === '/' || at === 'never' || Date.now() - Number(at) < fresh
}

/** After signing out on purpose nobody is signed in again behind their back. */
export function stopAskingWeChat(): void {
  sessionStorage.setItem(asked, 'never')
}

/**
 * In WeChat the server first learns which WeChat account holds the phone: it signs its person in silently, or registering
 * binds it. Asked when the app is opened and at pages that need to know the person; true when the browser leaves for it.
 */
export function askWeChat(to: RouteLocationNormalized): boolean {
  const session = useSession()
  if (session.demo && to.query.wechat === 'sandbox') sessionStorage.setItem(sandboxed, '1')
  if (session.signedIn) {
    if (sessionStorage.getItem(asked) === null) sessionStorage.setItem(asked, '0')
    return false
  }
  const answered = to.query.wechat === 'new' || to.query.wechat === 'off'
  if (!session.wechat || !insideWeChat() || answered || askedLately(to.path)) return false
  sessionStorage.setItem(asked, String(Date.now()))
  const here = to.fullPath
    .replace(/#wechat_redirect$/, '')
    .replace(/([?&])wechat=sandbox(&|$)/, (_, before, after) => (after ? before : ''))
  leave.to(wechatAuthorizeUrl(`/m${here}`))
  return true
}
