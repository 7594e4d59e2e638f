import { describe, expect, it } from 'vitest'

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
})
