import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Session } from '@/api/identity'
import { useSession } from '@/stores/session'
import TagBlock from './TagBlock.vue'
import * as api from './tags'

const part = (over: object): api.TagPreview => ({ seen: 10, fit: 3, gained: 2, lost: 1, examples: [], ...over })
const held: api.TagHeld = {
  code: 'watch',
  name: '重点服务',
  kind: 'hand',
  why: '区领导走访',
  byName: '崔文怡',
  since: '2026-11-22T01:30:00Z',
}
const offer = { code: 'chain', name: '产业链企业', kind: 'hand' } as api.Tag

afterEach(() => {
  document.body.innerHTML = ''
  vi.restoreAllMocks()
})

describe('tags', () => {
  it('adds up a preview part by part', () => {
    const sum = api.addTagPreview(api.addTagPreview(null, part({ next: '5000' })), part({ fit: 4 }))
    expect(sum).toEqual({ seen: 20, fit: 7, gained: 4, lost: 2, examples: [] })
  })

  it('goes on from what is in force, and from a draft at its version', () => {
    const tag = { ...part({}), code: 'a1', name: '甲', about: '', kind: 'rule', open: true, retired: false } as never
    expect(api.inputOf(tag)).toMatchObject({ code: 'a1', condition: null, version: 0 })
    expect(api.inputOf({ ...(tag as object), version: 3, condition: { all: [] } } as never)).toMatchObject({
      condition: { all: [] },
      version: 3,
    })
  })
})

describe('TagBlock', () => {
  async function open(permissions: string[]) {
    const pinia = createPinia()
    setActivePinia(pinia)
    useSession().current = {
      signedIn: true,
      permissions,
      deputed: [],
      user: { party: 'platform' },
    } as unknown as Session
    const wrapper = mount(TagBlock, { props: { id: 7 }, global: { plugins: [pinia] }, attachTo: document.body })
    await flushPromises()
    return wrapper
  }
  const button = (text: string) =>
    Array.from(document.querySelectorAll('button')).find((b) => b.textContent?.trim() === text)

  it('takes a tag away with a reason, once', async () => {
    vi.spyOn(api, 'getCompanyTags').mockResolvedValue({ items: [held], history: [], offers: [offer] })
    const take = vi.spyOn(api, 'takeTag').mockResolvedValue({ items: [], history: [], offers: [] })
    const wrapper = await open(['enterprise.tags'])
    expect(wrapper.text()).toContain('崔文怡 标注')
    button('取消')!.click()
    await flushPromises()
    await wrapper.get('form').trigger('submit')
    expect(wrapper.get('[role="alert"]').text()).toContain('请写明原因')
    expect(take).not.toHaveBeenCalled()
    await wrapper.get('input[aria-label="原因"]').setValue(' 服务期满 ')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(take).toHaveBeenCalledExactlyOnceWith(7, 'watch', '服务期满', expect.any(String))
  })

  it('offers nothing to who may only look', async () => {
    vi.spyOn(api, 'getCompanyTags').mockResolvedValue({ items: [held], history: [], offers: [] })
    await open(['enterprise.view'])
    expect(button('标注')).toBeUndefined()
    expect(button('取消')).toBeUndefined()
  })
})
