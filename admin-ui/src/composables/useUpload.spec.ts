import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import * as client from '@/api/client'
import FileList from '@/components/FileList.vue'
import FileUpload from '@/components/FileUpload.vue'
import { askAgain, useUpload } from './useUpload'

afterEach(() => vi.useRealTimers())

function setup() {
  let upload!: ReturnType<typeof useUpload>
  const wrapper = mount(
    defineComponent(() => {
      upload = useUpload({ purpose: 'ticket' })
      return () => h(FileUpload, { files: upload.files })
    }),
  )
  return { upload, wrapper }
}

const stored = { id: 5, name: '说明.pdf', size: 10, mime: 'application/pdf', url: '/api/files/5' }

describe('a file that waits for the scanner', () => {
  it.each([
    ['available', [5], ''],
    ['quarantined', [], '文件含有病毒，已被隔离'],
  ] as const)('becomes %s', async (state, ids, shown) => {
    vi.useFakeTimers()
    vi.spyOn(client, 'sendFile')
      .mockReset()
      .mockResolvedValue({ ...stored, state: 'waiting' })
    const asked = vi
      .spyOn(client, 'fileState')
      .mockReset()
      .mockRejectedValueOnce(new Error('away'))
      .mockResolvedValue(state)
    const { upload, wrapper } = setup()
    await upload.add([new File(['x'], '说明.pdf')])
    expect(wrapper.text()).toContain('待扫描')
    expect(upload.ids).toEqual([5])
    await vi.advanceTimersByTimeAsync(2 * askAgain)
    await flushPromises()
    expect(upload.ids).toEqual(ids)
    expect(wrapper.text()).toContain(shown)
    expect(wrapper.text()).not.toContain('待扫描')
    await vi.advanceTimersByTimeAsync(10 * askAgain)
    expect(asked).toHaveBeenCalledTimes(2)
  })

  it('is available at once where nothing waits', async () => {
    vi.useFakeTimers()
    vi.spyOn(client, 'sendFile')
      .mockReset()
      .mockResolvedValue({ ...stored, state: 'available' })
    const asked = vi.spyOn(client, 'fileState').mockReset()
    const { upload, wrapper } = setup()
    await upload.add([new File(['x'], '说明.pdf')])
    await vi.advanceTimersByTimeAsync(10 * askAgain)
    expect(wrapper.text()).not.toContain('待扫描')
    expect(asked).not.toHaveBeenCalled()
  })
})

describe('FileList', () => {
  it('links only what may be downloaded', () => {
    const wrapper = mount(FileList, {
      props: {
        files: [
          { ...stored, state: 'available' },
          { ...stored, id: 6, state: 'waiting' },
          { ...stored, id: 7, state: 'quarantined' },
          { ...stored, id: 8 },
        ],
      },
    })
    expect(wrapper.findAll('li').map((li) => li.findAll('a').length)).toEqual([2, 0, 0, 2])
    expect(wrapper.text()).toContain('待扫描')
    expect(wrapper.text()).toContain('已隔离')
  })
})
