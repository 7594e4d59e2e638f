import { afterAll, vi } from 'vitest'

// Vant measures a mounted bar again up to 300 ms later; the window must still be there. The next spec finds it empty.
afterAll(async () => {
  vi.useRealTimers()
  await new Promise((resolve) => setTimeout(resolve, 350))
  localStorage.clear()
  sessionStorage.clear()
  document.body.replaceChildren()
})
