import { flushPromises } from '@vue/test-utils'
import { beforeEach, describe, expect, it } from 'vitest'
import { ApiError, type Page } from '@/api/client'
import { mounted } from './mounted'
import { usePagedTable } from './usePagedTable'

interface Row {
  id: number
}
interface Call {
  filters: { q: string; status: string[] }
  cursor: string | undefined
  limit: number
}

let calls: Call[]
let reply: (call: Call) => Promise<Page<Row>>

beforeEach(() => {
  localStorage.clear()
  calls = []
  reply = async () => ({ items: [{ id: 1 }, { id: 2 }], nextCursor: 'c2' })
})

async function table(at?: string) {
  const m = await mounted(
    () =>
      usePagedTable<Row, { q: string; status: string[] }>({
        key: 'test.list',
        filters: { q: '', status: [] },
        labels: { q: { label: '关键词' }, status: { label: '状态', text: (v) => `〔${v}〕` } },
        columns: [
          { key: 'a', label: '甲' },
          { key: 'b', label: '乙', hidden: true },
        ],
        load: ({ filters, cursor, limit }) => {
          const call = { filters, cursor, limit }
          calls.push(call)
          return reply(call)
        },
        rowId: (r) => r.id,
      }),
    at,
  )
  await flushPromises()
  return { ...m, t: m.result() }
}

describe('filters', () => {
  it('come from the address, so that a reload keeps them', async () => {
    const { t } = await table('/list?q=面包&status=open&status=done')
    expect(calls).toHaveLength(1)
    expect(calls[0]!.filters).toEqual({ q: '面包', status: ['open', 'done'] })
    expect(t.chips.map((c) => `${c.label}:${c.text}`)).toEqual(['关键词:面包', '状态:〔open〕', '状态:〔done〕'])
  })

  it('go into the address, without the defaults, and start at the first page', async () => {
    const { t, router } = await table('/list?cursor=c9')
    expect(calls[0]!.cursor).toBe('c9')
    t.filters.q = ' 贷款 '
    await t.apply()
    await flushPromises()
    expect(router.currentRoute.value.query).toEqual({ q: '贷款' })
    expect(calls.at(-1)).toMatchObject({ filters: { q: '贷款' }, cursor: undefined })
  })

  it('show no chip before they are applied, and lose one value by its chip', async () => {
    const { t, router } = await table('/list?status=open&status=done')
    t.filters.q = '未提交'
    expect(t.chips.map((c) => c.value)).toEqual(['open', 'done'])
    await t.removeChip(t.chips[0]!)
    await flushPromises()
    expect(router.currentRoute.value.query['status']).toEqual(['done'])
  })

  it('ask again when applied unchanged', async () => {
    const { t } = await table()
    await t.apply()
    expect(calls).toHaveLength(2)
  })
})

describe('paging', () => {
  it('goes on by the cursor and back by the trail', async () => {
    const { t } = await table('/list?q=x')
    expect([t.hasPrev, t.hasNext]).toEqual([false, true])
    await t.next()
    await flushPromises()
    expect(calls.at(-1)).toMatchObject({ cursor: 'c2', filters: { q: 'x' } })
    reply = async () => ({ items: [{ id: 3 }] })
    await t.prev()
    await flushPromises()
    expect(calls.at(-1)!.cursor).toBeUndefined()
    expect([t.hasPrev, t.hasNext]).toEqual([false, false])
  })

  it('drops an answer that a newer question overtook', async () => {
    let release!: (p: Page<Row>) => void
    reply = () => new Promise((resolve) => (release = resolve))
    const { t } = await table()
    const slow = release
    reply = async () => ({ items: [{ id: 7 }] })
    await t.reload()
    slow({ items: [{ id: 99 }] })
    await flushPromises()
    expect(t.items.map((r) => r.id)).toEqual([7])
  })

  it('opens a row in the address without asking again', async () => {
    const { t, router } = await table()
    await t.open(t.items[1]!)
    await flushPromises()
    expect(router.currentRoute.value.query['open']).toBe('2')
    expect([t.openId, t.active]).toEqual(['2', 1])
    expect(calls).toHaveLength(1)
  })

  it('does not ask again when the page is left', async () => {
    const { router } = await table('/list?q=x')
    await router.push('/other')
    await flushPromises()
    expect(calls).toHaveLength(1)
  })
})

describe('states', () => {
  it('are loading, then empty', async () => {
    let release!: (p: Page<Row>) => void
    reply = () => new Promise((resolve) => (release = resolve))
    const { t } = await table()
    expect(t.state).toBe('loading')
    release({ items: [] })
    await flushPromises()
    expect(t.state).toBe('empty')
  })

  it.each([
    [403, 'forbidden'],
    [500, 'error'],
  ])('shows %i as %s and recovers', async (status, state) => {
    reply = () => Promise.reject(new ApiError({ status, code: 'X', message: '不行' }))
    const { t } = await table()
    expect(t.state).toBe(state)
    reply = async () => ({ items: [{ id: 1 }] })
    await t.reload()
    expect(t.state).toBe('ready')
  })
})

describe('preferences', () => {
  it('keep the columns over visits and ignore what is broken', async () => {
    const first = await table()
    first.t.visibleColumns = ['b']
    await flushPromises()
    first.wrapper.unmount()
    const second = await table()
    expect(second.t.columns.map((c) => c.key)).toEqual(['b'])
    second.wrapper.unmount()
    localStorage.setItem('huiqi.admin.test.list.columns', '["gone"]')
    expect((await table()).t.columns.map((c) => c.key)).toEqual(['a'])
  })
})
