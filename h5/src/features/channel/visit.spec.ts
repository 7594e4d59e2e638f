import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { RouteLocationNormalized } from 'vue-router'

import { arrival } from '@/api/arrival'
import { api } from '@/api/client'
import { useSession } from '@/stores/session'

import { arrive } from './visit'

const at = (query: Record<string, string>) =>
  ({ path: '/register', query, hash: '' }) as unknown as RouteLocationNormalized

describe('arriving by a link', () => {
  beforeEach(() => {
    setActivePinia(createPinia())
    vi.restoreAllMocks()
    vi.spyOn(useSession(), 'load').mockResolvedValue(undefined)
  })

  it('tells the server once, keeps its word and takes the own one out of the address', async () => {
    const post = vi
      .spyOn(api, 'POST')
      .mockResolvedValue({ data: { token: 'second', landing: '/m/' } } as never)
    expect(arrive(at({ tab: '1' }))).toBeUndefined()
    expect(post).not.toHaveBeenCalled()
    expect(arrive(at({ c: 'ABC234', v: 'first', tab: '1' }))).toEqual({
      path: '/register',
      query: { c: 'ABC234', tab: '1' },
      hash: '',
      replace: true,
    })
    expect(arrival()).toBe('first')
    expect(arrive(at({ c: 'ABC234', tab: '1' }))).toBeUndefined()
    await vi.waitFor(() => expect(arrival()).toBe('second'))
    expect(post).toHaveBeenCalledOnce()
    expect(post.mock.calls[0]![1]).toEqual({ body: { code: 'ABC234', token: 'first' } })
    expect(sessionStorage.getItem('huiqi-channel')).toBe('second')
  })

  it('lets the page open when the visit cannot be counted', async () => {
    const post = vi.spyOn(api, 'POST').mockRejectedValue(new Error('offline'))
    expect(arrive(at({ c: 'XYZ789' }))).toBeUndefined()
    await vi.waitFor(() => expect(post).toHaveBeenCalledOnce())
  })
})
