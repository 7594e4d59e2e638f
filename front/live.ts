import { readonly, ref } from 'vue'

/** What a stream tells: an object has changed. Null stands for everything: something was missed. */
export interface Change {
  object: string
  id: number
  version: number
}
export type Listener = (change: Change | null) => void

/**
 * off: nobody is signed in, or the server wants no stream of this page. connecting and live say what they say.
 * lost: the connection failed more than once; it is tried again. asleep: nobody looks at the page.
 */
export type LiveState = 'off' | 'connecting' | 'live' | 'lost' | 'asleep'

/** The browser's EventSource, as far as it is used here. */
export interface Source {
  addEventListener(name: string, on: (e: MessageEvent<string>) => void): void
  close(): void
}

/** The server shows that it lives each 20 s; this much silence is a broken line. */
const silence = 60_000
/** A page nobody looks at gives its stream back after this time: browsers allow few connections to one site. */
const rest = 60_000
const longestWait = 30_000

/** The page's one stream. It is opened again whenever it breaks, and goes on from the position it had. */
export function createLive(open: (url: string) => Source = (url) => new EventSource(url)) {
  const state = ref<LiveState>('off')
  const listeners = new Set<Listener>()
  let source: Source | null = null
  let wanted = false
  let position = ''
  let failures = 0
  let retry: ReturnType<typeof setTimeout> | undefined
  let watch: ReturnType<typeof setTimeout> | undefined
  let sleep: ReturnType<typeof setTimeout> | undefined

  function tell(change: Change | null): void {
    for (const on of [...listeners]) on(change)
  }

  function drop(): void {
    clearTimeout(retry)
    clearTimeout(watch)
    source?.close()
    source = null
  }

  function connect(): void {
    drop()
    if (!wanted) return
    state.value = failures > 1 ? 'lost' : 'connecting'
    const mine = open(position ? `/api/live?after=${position}` : '/api/live')
    source = mine
    const on = (name: string, run: (data: Record<string, unknown>) => void): void =>
      mine.addEventListener(name, (e) => {
        if (mine !== source) return
        if (e.lastEventId) position = e.lastEventId
        listen()
        run(JSON.parse(e.data) as Record<string, unknown>)
      })
    on('hello', (data) => {
      failures = 0
      state.value = 'live'
      if (data['resumed'] !== true) tell(null)
    })
    on('change', (data) => tell(data as unknown as Change))
    on('beat', () => undefined)
    on('resync', () => {
      failures = 0
      state.value = 'live'
      tell(null)
    })
    on('bye', (data) => part(String(data['reason'])))
    mine.addEventListener('error', () => {
      if (mine === source) fail()
    })
    listen()
  }

  /** Expects the next sign of life in time. */
  function listen(): void {
    clearTimeout(watch)
    watch = setTimeout(fail, silence)
  }

  function fail(): void {
    drop()
    failures++
    if (failures > 1) state.value = 'lost'
    later(Math.min(longestWait, 1000 * 2 ** (failures - 1)))
  }

  /** Pages do not all come back at the same moment. */
  function later(wait: number): void {
    retry = setTimeout(connect, wait * (0.5 + Math.random() / 2))
  }

  function part(reason: string): void {
    drop()
    switch (reason) {
      case 'rights':
        position = '' // other objects are seen now: everything is fetched anew
        later(200)
        break
      case 'signed_out':
        stop()
        tell(null) // whoever asks the server now is led to sign in
        break
      case 'too_many':
        state.value = 'asleep' // until somebody looks at this page again
        break
      default:
        later(3000)
    }
  }

  function look(): void {
    clearTimeout(sleep)
    if (!wanted) return
    if (document.visibilityState === 'visible') {
      if (!source) connect()
      return
    }
    sleep = setTimeout(() => {
      drop()
      state.value = 'asleep'
    }, rest)
  }

  /** Opens the stream; nothing happens when it is open. */
  function start(): void {
    if (wanted) return
    wanted = true
    failures = 0
    document.addEventListener('visibilitychange', look)
    window.addEventListener('online', look)
    connect()
  }

  /** Ends the stream and forgets where it was. */
  function stop(): void {
    wanted = false
    clearTimeout(sleep)
    document.removeEventListener('visibilitychange', look)
    window.removeEventListener('online', look)
    drop()
    position = ''
    state.value = 'off'
  }

  /** Returns what ends the subscription. */
  function subscribe(on: Listener): () => void {
    listeners.add(on)
    return () => listeners.delete(on)
  }

  return { state: readonly(state), start, stop, subscribe }
}

export const live = createLive()
