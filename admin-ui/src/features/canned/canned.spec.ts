import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { h, ref } from 'vue'
import * as api from './api'
import CannedReply from './CannedReply.vue'
import { matching, put, typedBefore } from './phrases'

afterEach(() => vi.restoreAllMocks())

const phrase = (id: number, code: string, title: string): api.Canned => ({
  id,
  version: 1,
  holder: 'desk',
  unitName: '',
  code,
  title,
  body: `内容${id}`,
  category: '受理',
  uses: 0,
  ownUses: 0,
  editable: false,
})
const list = [phrase(1, 'slts', '受理告知'), phrase(2, 'sl2', '受理补充'), phrase(3, 'hf', '回访问候')]

describe('what is typed', () => {
  it.each([
    ['/', 1, { at: 0, code: '' }],
    ['您好，/SLts', 8, { at: 3, code: 'slts' }],
    ['您好/回访', 5, { at: 2, code: '回访' }],
    ['https://a.cn', 8, null],
    ['11/22', 5, null],
    ['a/b', 3, null],
    ['/slts 后面', 5, { at: 0, code: 'slts' }],
    ['/sl 后面', 6, null],
  ] as const)('%s', (text, caret, want) => expect(typedBefore(text, caret)).toEqual(want))

  it('is matched by code before name', () => {
    expect(matching(list, 'sl').map((c) => c.id)).toEqual([1, 2])
    expect(matching(list, '回访').map((c) => c.id)).toEqual([3])
    expect(matching(list, 'xx')).toEqual([])
  })

  it('is replaced, and nothing else', () => {
    expect(put('前 /sl 后', { at: 2, code: 'sl' }, '短语')).toEqual({ text: '前 短语 后', caret: 4 })
  })
})

const box = (text: string) => {
  const value = ref(text)
  const wrapper = mount(
    {
      setup: () => () =>
        h(
          CannedReply,
          { modelValue: value.value, 'onUpdate:modelValue': (v: string) => (value.value = v), ticketId: 7 },
          () =>
            h('textarea', {
              value: value.value,
              onInput: (e: Event) => (value.value = (e.target as HTMLTextAreaElement).value),
            }),
        ),
    },
    { attachTo: document.body },
  )
  const type = async (next: string) => {
    const area = wrapper.get('textarea')
    area.element.value = next
    area.element.setSelectionRange(next.length, next.length)
    await area.trigger('input')
    await flushPromises()
    return area
  }
  return { value, wrapper, type }
}

describe('the box', () => {
  it('offers phrases after a slash and puts the chosen one in, filled from the ticket', async () => {
    const load = vi.spyOn(api, 'listCanned').mockResolvedValue({ items: list, placeholders: [], mayShare: false })
    const fill = vi.spyOn(api, 'fillCanned').mockResolvedValue({ text: '王女士您好', missing: [] })
    const { value, wrapper, type } = box('')
    await type('您好。')
    expect(load).not.toHaveBeenCalled()
    const area = await type('您好。/s')
    expect(wrapper.findAll('li').map((l) => l.find('strong').text())).toEqual(['受理告知', '受理补充'])
    await area.trigger('keydown', { key: 'ArrowDown' })
    await area.trigger('keydown', { key: 'Enter' })
    await flushPromises()
    expect(fill).toHaveBeenCalledWith(2, 7)
    expect(value.value).toBe('您好。王女士您好')
    expect(wrapper.find('li').exists()).toBe(false)
    wrapper.unmount()
  })

  it('closes with Escape and leaves what was typed; Enter is then a new line', async () => {
    vi.spyOn(api, 'listCanned').mockResolvedValue({ items: list, placeholders: [], mayShare: false })
    const fill = vi.spyOn(api, 'fillCanned')
    const { value, wrapper, type } = box('')
    const area = await type('/hf')
    expect(wrapper.findAll('li')).toHaveLength(1)
    await area.trigger('keydown', { key: 'Escape' })
    await area.trigger('keydown', { key: 'Enter' })
    expect(fill).not.toHaveBeenCalled()
    expect(value.value).toBe('/hf')
    wrapper.unmount()
  })
})
