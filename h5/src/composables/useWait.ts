import { onBeforeUnmount, ref } from 'vue'

/** Seconds until something may be asked for again; they go on by the clock while the page sleeps. */
export function useWait() {
  const seconds = ref(0)
  let timer: ReturnType<typeof setInterval> | undefined

  function wait(duration: number): void {
    clearInterval(timer)
    const until = Date.now() + duration * 1000
    const tick = () => {
      seconds.value = Math.max(0, Math.ceil((until - Date.now()) / 1000))
      if (seconds.value === 0) clearInterval(timer)
    }
    tick()
    timer = setInterval(tick, 500)
  }

  onBeforeUnmount(() => clearInterval(timer))
  return { seconds, wait }
}
