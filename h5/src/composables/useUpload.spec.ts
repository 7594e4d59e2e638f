import { mount } from '@vue/test-utils'
import { describe, expect, it, vi } from 'vitest'

import * as client from '@/api/client'
import { ApiError, parseProblem } from '@/api/error'
import FilePicker from '@/components/FilePicker/FilePicker.vue'

import { useUpload, whyNot } from './useUpload'

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
