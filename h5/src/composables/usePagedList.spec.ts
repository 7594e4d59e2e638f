import { flushPromises } from '@vue/test-utils'
import { describe, expect, it, vi } from 'vitest'

import { ApiError } from '@/api/error'

import { usePagedList, type Page } from './usePagedList'

function pages(...answers: (Page<number> | ApiError)[]) {
  return vi.fn<(cursor: string | undefined) => Promise<Page<number>>>(() => {
    const next = answers.shift()
    return next instanceof ApiError || !next ? Promise.reject(next) : Promise.resolve(next)
  })
}

describe('usePagedList', () => {
  it('follows the cursor to the end', async () => {
    const fetchPage = pages({ items: [1, 2], nextCursor: 'c2' }, { items: [3] })
    const list = usePagedList(fetchPage)
    expect(list.state).toBe('loading')
    await flushPromises()
    expect(list).toMatchObject({ state: 'ready', items: [1, 2], finished: false })
    await list.more()
    expect(fetchPage.mock.calls).toEqual([[undefined], ['c2']])
    expect(list).toMatchObject({ items: [1, 2, 3], finished: true })
    await list.more()
    expect(fetchPage).toHaveBeenCalledTimes(2)
  })

  it('is empty when the first page is, a null list included', async () => {
    const list = usePagedList(pages({ items: null }))
    await flushPromises()
    expect(list.state).toBe('empty')
  })

  it.each([
    ['network', 'error'],
    ['forbidden', 'forbidden'],
    ['not_found', 'notfound'],
  ] as const)('shows a first page that fails by %s as %s, and recovers', async (kind, state) => {
    const list = usePagedList(pages(new ApiError(kind), { items: [1] }))
    await flushPromises()
    expect(list.state).toBe(state)
    await list.reload()
    expect(list).toMatchObject({ state: 'ready', items: [1] })
  })

  it('keeps what is shown when a later page fails, and tries it again from the same cursor', async () => {
    const fetchPage = pages({ items: [1], nextCursor: 'c2' }, new ApiError('network'), { items: [2] })
    const list = usePagedList(fetchPage)
    await flushPromises()
    await list.more()
    expect(list).toMatchObject({ state: 'ready', items: [1], moreFailed: true, loadingMore: false })
    await list.more()
    expect(fetchPage).toHaveBeenLastCalledWith('c2')
    expect(list).toMatchObject({ items: [1, 2], moreFailed: false })
  })

  it('drops the answer to a question that was overtaken', async () => {
    const answers: ((page: Page<number>) => void)[] = []
    const list = usePagedList<number>(() => new Promise((resolve) => answers.push(resolve)))
    void list.reload()
    answers[1]!({ items: [2] })
    await flushPromises()
    answers[0]!({ items: [1] })
    await flushPromises()
    expect(list.items).toEqual([2])
  })
})
