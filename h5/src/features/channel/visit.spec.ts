import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { RouteLocationNormalized } from 'vue-router'

import { arrival } from '@/api/arrival'
import { useSession } from '@/stores/session'

import * as api from './api'
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
    const post = vi.spyOn(api, 'tellVisit').mockResolvedValue({ token: 'second', landing: '/m/' })
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
    expect(post).toHaveBeenCalledWith('ABC234', 'first')
    expect(sessionStorage.getItem('huiqi-channel')).toBe('second')
  })

  it('lets the page open when the visit cannot be counted', async () => {
    const post = vi.spyOn(api, 'tellVisit').mockRejectedValue(new Error('offline'))
    expect(arrive(at({ c: 'XYZ789' }))).toBeUndefined()
    await vi.waitFor(() => expect(post).toHaveBeenCalledOnce())
  })
})
