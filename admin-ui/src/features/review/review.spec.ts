import { flushPromises, mount } from '@vue/test-utils'
import ElementPlus from 'element-plus'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import ReturnDialog from '@/components/ReturnDialog.vue'
import * as api from './api'
import ReasonForm from './ReasonForm.vue'

const reason: api.Reason = {
  code: 'unclear',
  text: '照片不清晰，请重新拍摄',
  words: false,
  sort: 10,
  retired: false,
  version: 3,
  setAt: '',
  setBy: '系统',
}
const list: api.ReasonList = {
  key: 'enterprise',
  title: '企业认证',
  items: [reason, { ...reason, code: 'other', sort: 900 }],
}
const router = createRouter({
  history: createMemoryHistory(),
  routes: [{ path: '/', component: { template: '<i/>' } }],
})
const options = { global: { plugins: [ElementPlus, router] }, attachTo: document.body }
const press = (words: string): void =>
  Array.from(document.querySelectorAll('button'))
    .find((b) => b.textContent?.trim() === words)!
    .click()

beforeEach(() => {
  document.body.innerHTML = ''
  vi.restoreAllMocks()
})

describe('ReturnDialog', () => {
  const load = () =>
    Promise.resolve([
      { code: 'unclear', text: '照片不清晰', words: false },
      { code: 'stamp', text: '缺少公章', words: true },
      { code: 'other', text: '其他原因', words: true },
    ])

  it('needs a reason, and words of its own where the reason does', async () => {
    const wrapper = mount(ReturnDialog, {
      ...options,
      props: { title: '退回认证申请', reader: '企业', busy: false, load },
    })
    await flushPromises()
    press('退回申请')
    await vi.waitFor(() => expect(document.body.textContent).toContain('请选择退回原因'))
    document.querySelectorAll<HTMLInputElement>('input[type=radio]')[1]!.click()
    await flushPromises()
    press('退回申请')
    await vi.waitFor(() => expect(document.body.textContent).toContain('请写明退回原因'))
    expect(wrapper.emitted('confirm')).toBeUndefined()
    document.querySelectorAll<HTMLInputElement>('input[type=radio]')[0]!.click()
    await flushPromises()
    press('退回申请')
    expect(wrapper.emitted('confirm')).toEqual([[['unclear'], '']])
  })

  it('takes several reasons where the review does', async () => {
    const wrapper = mount(ReturnDialog, {
      ...options,
      props: { title: '退回补正', reader: '申请人', busy: false, multiple: true, load },
    })
    await flushPromises()
    for (const box of document.querySelectorAll<HTMLInputElement>('input[type=checkbox]')) {
      box.click()
      await flushPromises()
    }
    const text = document.querySelector<HTMLTextAreaElement>('textarea')!
    text.value = '第二页缺少公章'
    text.dispatchEvent(new Event('input'))
    await flushPromises()
    press('退回申请')
    expect(wrapper.emitted('confirm')).toEqual([[['unclear', 'stamp', 'other'], '第二页缺少公章']])
  })
})

describe('newReason', () => {
  it('stands before the one that says nothing by itself, with a code of its own', () => {
    expect(api.newReason({ ...list, items: [...list.items!, { ...reason, code: 'reason_4' }] })).toMatchObject({
      code: 'reason_5',
      sort: 20,
      version: 0,
    })
  })
})

describe('ReasonForm', () => {
  it('changes one at the version that was seen, and refuses an empty one', async () => {
    const save = vi.spyOn(api, 'saveReason').mockResolvedValue({ items: [list] } as never)
    const wrapper = mount(ReasonForm, { ...options, props: { list, reason } })
    await flushPromises()
    const text = document.querySelector<HTMLTextAreaElement>('textarea')!
    text.value = ' '
    text.dispatchEvent(new Event('input'))
    await flushPromises()
    press('保存')
    await vi.waitFor(() => expect(document.body.textContent).toContain('请填写退回原因'))
    expect(save).not.toHaveBeenCalled()
    text.value = '照片反光，请重新拍摄'
    text.dispatchEvent(new Event('input'))
    await flushPromises()
    press('保存')
    await flushPromises()
    expect(save).toHaveBeenCalledWith(
      'enterprise',
      expect.objectContaining({ text: '照片反光，请重新拍摄', version: 3 }),
      expect.any(String),
    )
    expect(wrapper.emitted('saved')).toHaveLength(1)
  })
})
