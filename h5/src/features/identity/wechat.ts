/** Whether this browser is WeChat's own (the desktop client's included). */
export function insideWeChat(userAgent: string = navigator.userAgent): boolean {
  return /MicroMessenger/i.test(userAgent)
}

/** Leaves the app; a function of its own because a test cannot leave. */
export const leave = { to: (url: string): void => window.location.assign(url) }
