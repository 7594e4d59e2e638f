import { mount } from '@vue/test-utils'
import { describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'

import * as client from '@/api/client'
import { ApiError, parseProblem } from '@/api/error'
import FilePicker from '@/components/FilePicker/FilePicker.vue'

import { askAgain, useUpload, whyNot } from './useUpload'

const options = { purpose: 'test', accept: ['.pdf', '.jpg'], maxBytes: 1024 * 1024, maxFiles: 1 }

describe('whyNot', () => {
  it.each([
    ['营业执照.PDF', 10, ''],
    ['run.exe', 10, '格式不支持'],
    ['空.pdf', 0, '空文件'],
    ['大.jpg', 1024 * 1024 + 1, '超过 1 MB'],
  ])('%s of %i bytes', (name, size, expected) => {
    const refusal = whyNot({ name, size }, options)
    if (expected) expect(refusal).toContain(expected)
    else expect(refusal).toBe('')
  })
})

describe('useUpload', () => {
  it('sends nothing that is refused', async () => {
    const upload = useUpload(options)
    await upload.add([new File(['x'], 'run.exe')])
    expect(upload.items).toEqual([])
    expect(upload.problem).toContain('run.exe')
  })

  it.each([
    [
      'TYPE_MISMATCH',
      parseProblem(422, '{"code":"TYPE_MISMATCH","detail":"文件内容与扩展名不符"}', null),
      false,
    ],
    ['FILE_TOO_LARGE', parseProblem(413, '{"code":"FILE_TOO_LARGE","detail":"文件太大"}', null), false],
    ['a lost connection', new ApiError('network'), true],
    ['a fault of the server', parseProblem(500, '', null), true],
    ['a server that is away', parseProblem(503, '', null), true],
  ])('after %s', async (_, error, again) => {
    const send = vi.spyOn(client, 'uploadFile').mockReset().mockRejectedValue(error)
    const upload = useUpload(options)
    await upload.add([new File(['x'], '执照.pdf')])
    const wrapper = mount(FilePicker, {
      props: { label: '营业执照', items: upload.items, accept: options.accept, maxFiles: 1 },
    })
    const buttons = wrapper.findAll('.item button').map((b) => b.text() || b.attributes('aria-label'))
    expect(buttons).toEqual(again ? ['重新上传', '移除 执照.pdf'] : ['删除'])
    expect(wrapper.text()).toContain(error.message)
    await upload.retry(upload.items[0]!.key)
    expect(send).toHaveBeenCalledTimes(again ? 2 : 1)
  })
})

describe('a file that waits for the scanner', () => {
  const stored = {
    id: 5,
    name: '执照.pdf',
    size: 1,
    mime: 'application/pdf',
    url: '/api/files/5',
    state: 'waiting' as const,
  }
  const show = (upload: ReturnType<typeof useUpload>) =>
    mount(FilePicker, {
      props: { label: '营业执照', items: upload.items, accept: options.accept, maxFiles: 1 },
    })

  it.each([
    ['available', [5], '1 B', '待扫描'],
    ['quarantined', [], '文件含有病毒，已被隔离', '待扫描'],
  ] as const)('becomes %s', async (state, ids, shown, gone) => {
    vi.useFakeTimers()
    vi.spyOn(client, 'uploadFile').mockReset().mockResolvedValue(stored)
    const asked = vi
      .spyOn(client, 'fileState')
      .mockReset()
      .mockRejectedValueOnce(new ApiError('network'))
      .mockResolvedValue(state)
    const scope = effectScope()
    const upload = scope.run(() => useUpload(options))!
    await upload.add([new File(['x'], '执照.pdf')])
    expect(show(upload).text()).toContain('待扫描')
    expect(upload.ids).toEqual([5]) // it may be handed in
    await vi.advanceTimersByTimeAsync(askAgain) // the network is away: asked again
    expect(upload.items[0]?.waiting).toBe(true)
    await vi.advanceTimersByTimeAsync(askAgain)
    expect(upload.ids).toEqual(ids)
    expect(show(upload).text()).toContain(shown)
    expect(show(upload).text()).not.toContain(gone)
    await vi.advanceTimersByTimeAsync(10 * askAgain)
    expect(asked).toHaveBeenCalledTimes(2) // what is known is not asked
    scope.stop()
    vi.useRealTimers()
  })
})
