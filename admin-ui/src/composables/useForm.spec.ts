import { flushPromises } from '@vue/test-utils'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError } from '@/api/client'
import { mounted } from './mounted'
import { confirm } from './useConfirm'
import { useForm, type FormOptions } from './useForm'

vi.mock('./useConfirm', () => ({ confirm: vi.fn() }))
const asked = vi.mocked(confirm)

interface Values {
  title: string
  tags: string[]
}

beforeEach(() => asked.mockReset().mockResolvedValue(false))

async function form(options: Partial<FormOptions<Values, number>> = {}) {
  const submit = vi.fn<(v: Values, key: string) => Promise<number>>(async () => 1)
  const m = await mounted(() =>
    useForm<Values, number>({ initial: () => ({ title: '', tags: [] }), submit, ...options }),
  )
  return { ...m, f: m.result(), submit }
}

describe('submitting', () => {
  it('sends once however often it is clicked', async () => {
    const { f, submit } = await form()
    let release!: (n: number) => void
    submit.mockImplementation(() => new Promise((resolve) => (release = resolve)))
    const first = f.submit()
    expect(await f.submit()).toBe(false)
    expect(f.submitting).toBe(true)
    release(1)
    expect(await first).toBe(true)
    expect(submit).toHaveBeenCalledTimes(1)
  })

  it('keeps its key over retries and takes a new one after success', async () => {
    const { f, submit } = await form()
    submit.mockRejectedValueOnce(new ApiError({ status: 0, code: 'NETWORK', message: '断网' }))
    expect(await f.submit()).toBe(false)
    expect(f.error?.code).toBe('NETWORK')
    expect(await f.submit()).toBe(true)
    await f.submit()
    const keys = submit.mock.calls.map((c) => c[1])
    expect(keys[0]).toBe(keys[1])
    expect(keys[2]).not.toBe(keys[1])
  })

  it("puts the server's messages on their fields", async () => {
    const { f, submit } = await form()
    submit.mockRejectedValueOnce(
      new ApiError({ status: 422, code: 'X', message: '有误', fields: [{ field: 'title', message: '请填写标题' }] }),
    )
    await f.submit()
    expect(f.errors).toEqual({ title: '请填写标题' })
    await f.submit()
    expect(f.errors).toEqual({})
    expect(f.error).toBeNull()
  })

  it('does not send what its own check refuses', async () => {
    const { f, submit } = await form({ check: (v) => ({ title: v.title ? '' : '请填写标题' }) })
    expect(await f.submit()).toBe(false)
    expect(f.errors).toEqual({ title: '请填写标题' })
    f.values.title = '有了'
    expect(await f.submit()).toBe(true)
    expect(submit).toHaveBeenCalledWith({ title: '有了', tags: [] }, expect.any(String))
  })
})

describe('unsent input', () => {
  it('holds the page until the person agrees', async () => {
    const { f, router } = await form()
    f.values.tags.push('x')
    expect(f.dirty).toBe(true)
    await router.push('/other')
    expect(router.currentRoute.value.name).toBe('list')
    asked.mockResolvedValue(true)
    await router.push('/other')
    expect(router.currentRoute.value.name).toBe('other')
  })

  it('is none after sending, also when the done handler leaves the page', async () => {
    const m: { router?: { push: (p: string) => Promise<unknown> } } = {}
    const { f, router } = await form({
      onDone: async () => {
        await m.router?.push('/other')
      },
    })
    m.router = router
    f.values.title = '标题'
    await f.submit()
    await flushPromises()
    expect(asked).not.toHaveBeenCalled()
    expect(router.currentRoute.value.name).toBe('other')
  })

  it('is none after a reset to other values', async () => {
    const { f } = await form()
    f.values.title = '一'
    f.reset({ title: '二', tags: ['a'] })
    expect(f.dirty).toBe(false)
    expect(f.values).toEqual({ title: '二', tags: ['a'] })
  })

  it('warns when the window closes, and no longer after the form is gone', async () => {
    const { f, wrapper } = await form()
    f.values.title = '一'
    const close = () => {
      const e = new Event('beforeunload', { cancelable: true })
      window.dispatchEvent(e)
      return e.defaultPrevented
    }
    expect(close()).toBe(true)
    wrapper.unmount()
    expect(close()).toBe(false)
  })
})
