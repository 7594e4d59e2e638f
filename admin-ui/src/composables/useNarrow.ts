import { onBeforeUnmount, ref, type Ref } from 'vue'

/** Whether the window is too narrow for a standing menu. The same width stands in the style sheets. */
export function useNarrow(): Ref<boolean> {
  const media = window.matchMedia('(max-width: 900px)')
  const narrow = ref(media.matches)
  const update = () => (narrow.value = media.matches)
  media.addEventListener('change', update)
  onBeforeUnmount(() => media.removeEventListener('change', update))
  return narrow
}
