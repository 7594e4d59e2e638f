import { defineStore } from 'pinia'
import { ref, watch } from 'vue'

const key = 'huiqi.elder'

function remembered(): boolean {
  try {
    return localStorage.getItem(key) === '1'
  } catch {
    return false // storage may be switched off; the choice then lasts for this visit
  }
}

/** Choices about the display, kept on this phone. */
export const useSettings = defineStore('settings', () => {
  const elder = ref(remembered())

  watch(
    elder,
    (on) => {
      document.documentElement.toggleAttribute('data-elder', on)
      try {
        localStorage.setItem(key, on ? '1' : '0')
      } catch {
        // see remembered()
      }
    },
    { immediate: true },
  )

  return { elder }
})
