import { mount } from '@vue/test-utils'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent } from 'vue'

import { ApiError } from '@/api/error'

import { useForm, type FormOptions } from './useForm'

interface Values {
  title: string
  secret: string
}
const initial: Values = { title: '', secret: '' }

function open(options: Partial<FormOptions<Values, unknown>> = {}) {
  const submit = options.submit ?? (() => Promise.resolve())
  let form!: ReturnType<typeof useForm<Values, unknown>>
  const host = defineComponent({
    setup() {
      form = useForm<Values, unknown>({ initial, submit, ...options })
      return () => null
    },
  })
  const wrapper = mount(host)
  return { form, close: () => wrapper.unmount() }
}

beforeEach(() => sessionStorage.clear())

describe('useForm', () => {
  it('does not send what fails its check, and says so at the field', async () => {
    const submit = vi.fn(() => Promise.resolve())
    const { form } = open({ submit, check: (v) => (v.title ? {} : { title: '请填写标题。' }) })
    expect(await form.submit()).toBe(false)
    expect(form.errors.title).toBe('请填写标题。')
    expect(submit).not.toHaveBeenCalled()
    form.values.title = '甲'
    expect(form.errors.title).toBeUndefined()
    expect(await form.submit()).toBe(true)
  })

  it('sends once however often the button is pressed', async () => {
    let finish!: () => void
    const submit = vi.fn(() => new Promise<void>((resolve) => (finish = resolve)))
    const { form } = open({ submit })
    const first = form.submit()
    expect(await form.submit()).toBe(false)
    finish()
    expect(await first).toBe(true)
    expect(submit).toHaveBeenCalledTimes(1)
  })

  it('keeps its idempotency key over retries and takes a new one after success', async () => {
    const keys: string[] = []
    const { form } = open({
      submit: (_, key) => {
        keys.push(key)
        return keys.length === 1 ? Promise.reject(new ApiError('network')) : Promise.resolve()
      },
    })
    await form.submit()
    await form.submit()
    await form.submit()
    expect(keys[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(keys[1]).toBe(keys[0])
    expect(keys[2]).not.toBe(keys[0])
  })

  it("puts the server's field errors at its fields and everything else above the button", async () => {
    const refusals = [
      new ApiError('invalid', { fields: { title: '标题重复。' } }),
      new ApiError('invalid', { message: '附件不存在。', fields: { fileIds: '附件不存在。' } }),
    ]
    const { form } = open({ submit: () => Promise.reject(refusals.shift()) })
    await form.submit()
    expect(form.errors.title).toBe('标题重复。')
    expect(form.problem).toBeNull()
    await form.submit()
    expect(form.errors.title).toBeUndefined()
    expect(form.problem?.message).toBe('附件不存在。')
  })

  it('restores a draft with its key, never what must not be kept, and drops it when sent', async () => {
    const draft = { name: 'test', omit: ['secret' as const] }
    const keys: string[] = []
    const failing = open({
      draft,
      submit: (_, key) => {
        keys.push(key)
        return Promise.reject(new ApiError('network'))
      },
    })
    failing.form.values.title = '写了一半'
    failing.form.values.secret = 'pw'
    await failing.form.submit()
    failing.close()
    expect(JSON.stringify({ ...sessionStorage })).not.toContain('pw')

    const again = open({
      draft,
      submit: (_, key) => {
        keys.push(key)
        return Promise.resolve()
      },
    })
    expect(again.form.values).toEqual({ title: '写了一半', secret: '' })
    await again.form.submit()
    expect(keys[1]).toBe(keys[0])
    again.close()
    expect(open({ draft }).form.values.title).toBe('')
  })

  it('warns before the window closes only while something would be lost', () => {
    const leave = () => {
      const event = new Event('beforeunload', { cancelable: true })
      window.dispatchEvent(event)
      return event.defaultPrevented
    }
    const plain = open()
    expect(leave()).toBe(false)
    plain.form.values.title = '甲'
    expect(leave()).toBe(true)
    plain.close()
    const drafted = open({ draft: { name: 'kept' } })
    drafted.form.values.title = '甲'
    expect(leave()).toBe(false)
    drafted.close()
  })
})
