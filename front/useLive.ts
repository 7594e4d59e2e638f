import { onBeforeUnmount, toValue, watchEffect, type MaybeRefOrGetter } from 'vue'
import { live } from './live'

/** What a page shows: every object of a kind, or one. An empty id is none. */
export interface Shown {
  object: string
  id?: MaybeRefOrGetter<string | number | undefined>
}

/**
 * Calls refresh when something the page shows has changed, or may have; however much changes, at most once in a pause.
 * The pause also gives the changes of one act the time to arrive together.
 */
export function useLive(shown: Shown, refresh: () => void, pause = 1000, connection = live) {
  let timer: ReturnType<typeof setTimeout> | undefined
  let last = 0

  function soon(): void {
    if (timer !== undefined) return
    const wait = Math.max(100, last + pause - Date.now())
    timer = setTimeout(() => {
      timer = undefined
      last = Date.now()
      refresh()
    }, wait)
  }

  const off = connection.subscribe((change) => {
    if (change !== null) {
      if (change.object !== shown.object) return
      if ('id' in shown && String(toValue(shown.id) ?? '') !== String(change.id)) return
    }
    soon()
  })
  onBeforeUnmount(() => {
    off()
    clearTimeout(timer)
  })
  return { state: connection.state }
}

/** Keeps the stream open while wanted is true. */
export function useLiveConnection(wanted: () => boolean, connection = live) {
  watchEffect(() => (wanted() ? connection.start() : connection.stop()))
  onBeforeUnmount(() => connection.stop())
  return { state: connection.state }
}
