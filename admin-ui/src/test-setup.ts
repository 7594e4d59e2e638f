import { disableAutoUnmount, enableAutoUnmount } from '@vue/test-utils'
import { afterAll, afterEach, vi } from 'vitest'

// A page that outlives its test would go on moving while the environment is taken away. What is imported stays from spec to
// spec, this setting too, but its hook is the spec's.
disableAutoUnmount()
enableAutoUnmount(afterEach)

// The next spec finds the window as this one found it.
afterAll(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  localStorage.clear()
  sessionStorage.clear()
  document.body.replaceChildren()
})
