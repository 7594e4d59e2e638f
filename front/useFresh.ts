import { onBeforeUnmount } from 'vue'

/** Calls look now, when the page comes to the front again, and each minute while it is there. */
export function useFresh(look: () => void, every = 60_000): void {
  const seen = (): void => {
    if (document.visibilityState === 'visible') look()
  }
  const timer = setInterval(seen, every)
  document.addEventListener('visibilitychange', seen)
  window.addEventListener('focus', seen)
  seen()
  onBeforeUnmount(() => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', seen)
    window.removeEventListener('focus', seen)
  })
}
