import { flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import * as api from './api'
import { creditCodeIn } from './checks'
import { openDesk } from './desk.test-setup'

const code = '91110112MA01A2B3C4'
const firm = { id: 9, name: '通州示例烘焙有限公司', creditCode: code, verified: true }

beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

async function open() {
  const { wrapper } = await openDesk(['DeskAnswer', 'StepHint', 'MatterField'])
  const type = async (label: string, text: string) => {
    await wrapper.get(`[aria-label="${label}"]`).setValue(text)
    await vi.advanceTimersByTimeAsync(500)
    await flushPromises()
  }
  return { wrapper, type }
}

it('tells a credit code from a name', () => {
  expect(creditCodeIn(` 91110112ma01 a2b3c4`)).toBe(code)
  expect(creditCodeIn('通州示例烘焙有限公司')).toBe('')
  expect(creditCodeIn('91110112MA01A2B3C')).toBe('')
})

it('asks who calls and what is alike by a credit code while an agent types, and takes the company over', async () => {
  const callers = vi.spyOn(api, 'lookUpCaller').mockResolvedValue({ firm, open: [], recent: [], more: false })
  const alike = vi.spyOn(api, 'similarTickets').mockResolvedValue([
    {
      id: 4,
      number: 'HT20261130-000004',
      title: '门前停车位不够',
      status: 'received',
      unitName: '',
      createdAt: '2026-11-30T01:00:00Z',
      reasons: ['同一企业', '内容相近'],
    } as api.Alike,
  ])
  const { wrapper, type } = await open()
  await type('企业名称', code)
  expect(callers).toHaveBeenCalledTimes(1)
  expect(callers.mock.calls[0]![0]).toEqual({ phone: '', creditCode: code })
  expect(wrapper.get<HTMLInputElement>('[aria-label="企业名称"]').element.value).toBe(firm.name)
  expect(alike.mock.lastCall![0]).toMatchObject({ creditCode: code })
  expect(wrapper.text()).toContain('同一企业、内容相近')

  await type('标题', '门口的停车位不够用')
  expect(alike.mock.lastCall![0]).toMatchObject({ creditCode: code, title: '门口的停车位不够用' })
  // Another company was named: nothing is known of it.
  await type('企业名称', '别的公司')
  expect(alike.mock.lastCall![0]).toMatchObject({ creditCode: '' })
})

it('finds the company of the phone once', async () => {
  const callers = vi.spyOn(api, 'lookUpCaller').mockResolvedValue({ firm, open: [], recent: [], more: false })
  const alike = vi.spyOn(api, 'similarTickets').mockResolvedValue([])
  const { type } = await open()
  await type('来电号码', '13612341093')
  await vi.advanceTimersByTimeAsync(1000)
  expect(callers).toHaveBeenCalledTimes(1)
  expect(alike.mock.lastCall![0]).toMatchObject({ phone: '13612341093', creditCode: code })
})
