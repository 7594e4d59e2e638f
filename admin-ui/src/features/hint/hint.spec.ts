import { flushPromises, mount } from '@vue/test-utils'
import ElementPlus from 'element-plus'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { Hint } from './api'
import HintDialog from './HintDialog.vue'
import HintFrame from './HintFrame.vue'
import { mostBytes, readPicture } from './picture'
import StepHint from './StepHint.vue'
import { forgetHints, loadHints } from './useHints'

const listHints = vi.fn<() => Promise<{ items: Hint[]; steps: [] }>>()
const saveHint = vi.fn<(...given: unknown[]) => Promise<void>>()
vi.mock('./api', () => ({ listHints: () => listHints(), saveHint: (...given: unknown[]) => saveHint(...given) }))

const hint = (part: Partial<Hint>): Hint => ({ for: 'staff', step: 'void', version: 1, ...part })

beforeEach(() => {
  forgetHints()
  listHints.mockReset()
  saveHint.mockReset().mockResolvedValue()
  document.body.innerHTML = ''
})

describe('the hint of a step', () => {
  it('is the one of staff, as text, with its picture described and its link in a page of its own', async () => {
    listHints.mockResolvedValue({
      items: [
        hint({ for: 'requester', text: '给诉求人的' }),
        hint({
          text: '<b>先核对</b>',
          pictureUrl: '/p',
          alt: '流程图',
          linkText: '规定',
          linkUrl: 'https://a.example/',
        }),
        hint({ step: 'merge', text: '' }),
      ],
      steps: [],
    })
    const page = mount(
      {
        components: { StepHint },
        template: '<StepHint step="void" /><StepHint step="merge" /><StepHint step="link" />',
      },
      { global: { plugins: [ElementPlus] } },
    )
    await flushPromises()
    expect(page.findAll('[role="note"]')).toHaveLength(1)
    expect(page.text()).toContain('<b>先核对</b>')
    expect(page.text()).not.toContain('给诉求人的')
    expect(page.get('img').attributes('alt')).toBe('流程图')
    expect(page.findAll('a').at(-1)!.attributes()).toMatchObject({
      href: 'https://a.example/',
      rel: 'noopener noreferrer',
    })
  })

  it('is asked for once, and again after one was edited or the answer failed', async () => {
    listHints.mockRejectedValueOnce(new Error('away')).mockResolvedValue({ items: [], steps: [] })
    await loadHints()
    await loadHints()
    await loadHints()
    expect(listHints).toHaveBeenCalledTimes(2)
    forgetHints()
    await loadHints()
    expect(listHints).toHaveBeenCalledTimes(3)
  })
})

describe('a picture', () => {
  const file = (type: string, size: number) => new File([new Uint8Array(size).fill(7)], 'x', { type })
  it('is read whole, or refused in words', async () => {
    const read = await readPicture(file('image/png', 20_000))
    expect('content' in read && atob(read.content).length).toBe(20_000)
    expect(await readPicture(file('image/svg+xml', 10))).toEqual({
      wrong: expect.stringContaining('PNG 或 JPG') as string,
    })
    expect(await readPicture(file('image/png', mostBytes + 1))).toEqual({
      wrong: expect.stringContaining('300 KB') as string,
    })
  })
})

describe('the dialog', () => {
  const step = { for: 'staff', step: 'void', label: '作废', where: '操作窗口' } as const
  const open = (given?: Hint) =>
    mount(HintDialog, {
      props: {
        title: step.label,
        where: step.where,
        hint: given,
        save: (v: number, b: object, k: string) => saveHint(step, v, b, k),
      },
      global: { plugins: [ElementPlus] },
      attachTo: document.body,
    })
  const button = (text: string) => [...document.querySelectorAll('button')].find((b) => b.textContent.trim() === text)!

  it('keeps the picture that is there unless another one is chosen, and takes it away on demand', async () => {
    const given = hint({ text: '旧', pictureUrl: '/p', alt: '图', version: 4 })
    const page = open(given)
    await flushPromises()
    expect(button('保存').disabled).toBe(true)
    const box = document.querySelector<HTMLTextAreaElement>('textarea[aria-label="提示文字"]')!
    box.value = '新'
    box.dispatchEvent(new Event('input'))
    await flushPromises()
    button('保存').click()
    await flushPromises()
    expect(saveHint).toHaveBeenCalledWith(
      step,
      4,
      expect.objectContaining({ text: '新', picture: undefined, alt: '图' }),
      expect.any(String),
    )
    button('移除图片').click()
    await flushPromises()
    button('保存').click()
    await flushPromises()
    expect(saveHint).toHaveBeenLastCalledWith(
      step,
      4,
      expect.objectContaining({ picture: '', alt: '' }),
      expect.any(String),
    )
    page.unmount()
  })
})

describe('the page', () => {
  it('opens the hint of the row with what it says now, and saves it at its version', async () => {
    const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/', component: HintFrame }] })
    const page = mount(HintFrame, {
      props: {
        title: '办理提示',
        tab: 'staff',
        page: { state: 'ready', error: null, reload: vi.fn() },
        rows: ['merge', 'void'].map((step) => ({
          step: { step, label: step, where: '操作窗口' },
          hint: { ...hint({ step, text: `旧的 ${step}`, version: 7 }) },
        })),
        of: () => '工作人员',
        save: (step: { step: string }, v: number, b: object, k: string) => saveHint(step.step, v, b, k),
      },
      global: { plugins: [ElementPlus, router] },
      attachTo: document.body,
    })
    await flushPromises()
    document.querySelector<HTMLElement>('[aria-label="设置“void”的提示"]')!.click()
    await flushPromises()
    const box = document.querySelector<HTMLTextAreaElement>('textarea[aria-label="提示文字"]')!
    expect(box.value).toBe('旧的 void')
    box.value = '新的'
    box.dispatchEvent(new Event('input'))
    await flushPromises()
    ;[...document.querySelectorAll('button')].find((b) => b.textContent.trim() === '保存')!.click()
    await flushPromises()
    expect(saveHint).toHaveBeenCalledWith('void', 7, expect.objectContaining({ text: '新的' }), expect.any(String))
    expect(page.emitted('saved')).toHaveLength(1)
    page.unmount()
  })
})
