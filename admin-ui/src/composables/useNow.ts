import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'

/** The current time in milliseconds, renewed every `every` milliseconds while the component is mounted. */
export function useNow(every = 15_000): Ref<number> {
  const now = ref(Date.now())
  let timer: ReturnType<typeof setInterval> | undefined
  onMounted(() => (timer = setInterval(() => (now.value = Date.now()), every)))
  onBeforeUnmount(() => clearInterval(timer))
  return now
}

/** Counts seconds down to zero; `start` begins anew. */
export function useCountdown(): { left: Ref<number>; start: (seconds: number) => void } {
  const left = ref(0)
  let timer: ReturnType<typeof setInterval> | undefined
  function start(seconds: number): void {
    clearInterval(timer)
    const end = Date.now() + seconds * 1000
    left.value = seconds
    timer = setInterval(() => {
      left.value = Math.max(0, Math.ceil((end - Date.now()) / 1000))
      if (left.value === 0) clearInterval(timer)
    }, 250)
  }
  onBeforeUnmount(() => clearInterval(timer))
  return { left, start }
}
