import { onBeforeUnmount, onMounted, shallowReactive } from 'vue'

export interface KeyBinding {
  /** As KeyboardEvent.key, lower case: 'j', 'enter', 'escape', '?'; with 'ctrl+' for Ctrl or ⌘. */
  key: string
  /** What it does, for the list of keys. */
  label: string
  run: (event: KeyboardEvent) => void
  /** Whether it applies now; keys that do not are passed on. */
  when?: () => boolean
  /** Works while typing too (Ctrl-K, Escape). */
  whileTyping?: boolean
}

interface Layer {
  group: string
  bindings: KeyBinding[]
}

/** What is bound now, the newest last. The list of keys shows it. */
export const keyLayers = shallowReactive<Layer[]>([])

function typing(target: EventTarget | null): boolean {
  const el = target as HTMLElement | null
  return !!el?.closest?.('input, textarea, select, [contenteditable="true"], [role="combobox"]')
}

/** Enter on a button or link belongs to it. */
function ownsEnter(target: EventTarget | null): boolean {
  return !!(target as HTMLElement | null)?.closest?.('button, a, [role="button"], [role="menuitem"]')
}

/** A dialog or drawer in front takes the keyboard from the page behind it. */
function covered(): boolean {
  return Array.from(document.querySelectorAll<HTMLElement>('.el-overlay')).some((el) => el.style.display !== 'none')
}

function dispatch(event: KeyboardEvent): void {
  if (event.isComposing || event.altKey || event.defaultPrevented) return
  const plain = event.key.toLowerCase()
  const key = event.ctrlKey || event.metaKey ? `ctrl+${plain}` : plain
  const busy = typing(event.target)
  if (key === 'enter' && ownsEnter(event.target)) return
  for (const layer of [...keyLayers].reverse()) {
    for (const b of layer.bindings) {
      if (b.key !== key || (busy && !b.whileTyping) || (!b.whileTyping && covered())) continue
      if (b.when && !b.when()) continue
      event.preventDefault()
      b.run(event)
      return
    }
  }
}

/** Binds keys while the component is mounted. The newest binding of a key wins; `group` heads it in the list of keys. */
export function useKeyboard(group: string, bindings: KeyBinding[]): void {
  const layer: Layer = { group, bindings }
  onMounted(() => {
    if (keyLayers.length === 0) window.addEventListener('keydown', dispatch)
    keyLayers.push(layer)
  })
  onBeforeUnmount(() => {
    const at = keyLayers.indexOf(layer)
    if (at >= 0) keyLayers.splice(at, 1)
    if (keyLayers.length === 0) window.removeEventListener('keydown', dispatch)
  })
}
