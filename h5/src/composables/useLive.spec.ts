import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { h, nextTick, ref } from 'vue'
import { createLive, type Source } from './live'
import { useLive, useLiveConnection } from './useLive'

class FakeSource implements Source {
  static all: FakeSource[] = []
  closed = false
  private on = new Map<string, (e: MessageEvent<string>) => void>()

  constructor(public url: string) {
    FakeSource.all.push(this)
  }
  addEventListener(name: string, on: (e: MessageEvent<string>) => void): void {
    this.on.set(name, on)
  }
  close(): void {
    this.closed = true
  }
  send(name: string, data: object, lastEventId = ''): void {
    this.on.get(name)?.({ data: JSON.stringify(data), lastEventId } as MessageEvent<string>)
  }
  break(): void {
    this.on.get('error')?.({} as MessageEvent<string>)
  }
}

/** A page whose setup is the function. */
const page = (setup: () => void) =>
  mount({
    setup() {
      setup()
      return () => h('div')
    },
  })

const newest = () => FakeSource.all.at(-1)!
const open = (url: string) => new FakeSource(url)

function look(state: 'visible' | 'hidden'): void {
  Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
  document.dispatchEvent(new Event('visibilitychange'))
}

beforeEach(() => {
  vi.useFakeTimers()
  FakeSource.all = []
  look('visible')
})
afterEach(() => vi.useRealTimers())

function started() {
  const live = createLive(open)
  const heard: (number | null)[] = []
  live.subscribe((change) => heard.push(change && change.id))
  live.start()
  newest().send('hello', { resumed: false }, '10')
  return { live, heard }
}

describe('the stream', () => {
  it('tells changes, and that everything may have changed when it begins', () => {
    const { live, heard } = started()
    expect(live.state.value).toBe('live')
    newest().send('change', { object: 'ticket', id: 7, version: 2 }, '11')
    newest().send('resync', {}, '900')
    expect(heard).toEqual([null, 7, null])
  })

  it('goes on from its position after a break, waiting longer each time', () => {
    const { live, heard } = started()
    newest().send('beat', {}, '15')
    newest().break()
    expect(newest().closed).toBe(true)
    expect(live.state.value).toBe('live') // one break is not worth a word
    vi.advanceTimersByTime(1000)
    expect(FakeSource.all).toHaveLength(2)
    expect(newest().url).toBe('/api/live?after=15')
    newest().break()
    expect(live.state.value).toBe('lost')
    vi.advanceTimersByTime(999)
    expect(FakeSource.all).toHaveLength(2)
    vi.advanceTimersByTime(1001)
    expect(FakeSource.all).toHaveLength(3)
    newest().send('hello', { resumed: true }, '15')
    expect(live.state.value).toBe('live')
    expect(heard).toEqual([null]) // nothing was missed
  })

  it('takes a silent line for a broken one', () => {
    started()
    vi.advanceTimersByTime(59_000)
    newest().send('beat', {}, '11')
    vi.advanceTimersByTime(59_000)
    expect(FakeSource.all).toHaveLength(1)
    vi.advanceTimersByTime(2_000)
    expect(FakeSource.all[0]!.closed).toBe(true)
  })

  it('does what the last message says', () => {
    const rights = started()
    newest().send('bye', { reason: 'rights' }, '20')
    vi.advanceTimersByTime(200)
    expect(newest().url).toBe('/api/live')
    rights.live.stop()

    const out = started()
    newest().send('bye', { reason: 'signed_out' }, '20')
    vi.advanceTimersByTime(120_000)
    expect(out.live.state.value).toBe('off')
    expect(out.heard).toEqual([null, null])

    const many = started()
    const opened = FakeSource.all.length
    newest().send('bye', { reason: 'too_many' }, '20')
    vi.advanceTimersByTime(120_000)
    expect(FakeSource.all).toHaveLength(opened)
    look('visible')
    expect(newest().url).toBe('/api/live?after=20')
    many.live.stop()

    const restart = started()
    newest().send('bye', { reason: 'restart' }, '20')
    vi.advanceTimersByTime(3000)
    expect(newest().url).toBe('/api/live?after=20')
    restart.live.stop()
  })

  it('rests while nobody looks at the page', () => {
    const { live } = started()
    look('hidden')
    vi.advanceTimersByTime(30_000)
    look('visible')
    vi.advanceTimersByTime(29_000)
    expect(live.state.value).toBe('live')
    look('hidden')
    vi.advanceTimersByTime(60_000)
    expect(newest().closed).toBe(true)
    expect(live.state.value).toBe('asleep')
    look('visible')
    expect(newest().url).toBe('/api/live?after=10')
  })
})

describe('useLive', () => {
  it('refreshes what is shown, at most once in a pause, until the page is left', () => {
    const { live } = started()
    const list = vi.fn()
    const one = vi.fn()
    const id = ref('7')
    const shown = page(() => {
      useLive({ object: 'ticket' }, list, 1000, live)
      useLive({ object: 'ticket', id }, one, 1000, live)
    })
    const change = (object: string, n: number) => newest().send('change', { object, id: n, version: 1 })
    for (let i = 0; i < 20; i++) change('ticket', 8)
    change('application', 7)
    vi.advanceTimersByTime(100)
    expect([list.mock.calls.length, one.mock.calls.length]).toEqual([1, 0])
    change('ticket', 7)
    vi.advanceTimersByTime(999)
    expect([list.mock.calls.length, one.mock.calls.length]).toEqual([1, 1])
    vi.advanceTimersByTime(100)
    expect(list).toHaveBeenCalledTimes(2)
    newest().send('resync', {})
    vi.advanceTimersByTime(1100)
    expect([list.mock.calls.length, one.mock.calls.length]).toEqual([3, 2])
    change('ticket', 7)
    shown.unmount()
    vi.advanceTimersByTime(5000)
    expect(list).toHaveBeenCalledTimes(3)
  })

  it('opens and ends the stream with the session', async () => {
    const live = createLive(open)
    const signedIn = ref(false)
    const shown = page(() => useLiveConnection(() => signedIn.value, live))
    expect(FakeSource.all).toHaveLength(0)
    signedIn.value = true
    await nextTick()
    expect(live.state.value).toBe('connecting')
    signedIn.value = false
    await nextTick()
    expect(newest().closed).toBe(true)
    signedIn.value = true
    await nextTick()
    shown.unmount()
    expect(live.state.value).toBe('off')
  })
})
