import { flushPromises, mount } from '@vue/test-utils'
import ElementPlus from 'element-plus'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { useSession } from '@/stores/session'
import ClockPanel from './ClockPanel.vue'
import * as clocks from './clocks'

const clock: clocks.Clock = {
  id: 1,
  kind: 'sign',
  label: '签收时限',
  unitName: '区人社局',
  state: 'running',
  budget: '1 个工作日',
  startedAt: '2026-11-26T06:00:00Z',
  dueAt: '2026-11-27T10:00:00Z',
  sentence: '1 个工作日：11月26日（四）14:00起；计入11月27日（五）；截止11月27日（五）18:00。',
  counted: ['11月27日（五）'],
  skipped: [],
  pauses: [],
  notes: [],
}

describe('the clocks of a ticket', () => {
  beforeEach(() => setActivePinia(createPinia()))
  afterEach(() => vi.restoreAllMocks())

  const show = async (list: clocks.Clock[], ...permissions: string[]) => {
    vi.spyOn(clocks, 'listClocks').mockResolvedValue(list)
    vi.spyOn(useSession(), 'can').mockImplementation((...any) => any.some((p) => permissions.includes(p)))
    const panel = mount(ClockPanel, {
      props: { ticket: { id: 3, status: 'dispatched' } },
      global: { plugins: [ElementPlus] },
    })
    await flushPromises()
    return panel
  }

  it('says how each came about, those that run first', async () => {
    const done = {
      ...clock,
      id: 2,
      kind: 'public' as const,
      label: '办理时限',
      state: 'stopped' as const,
      verdict: 'late' as const,
      overdue: '2 小时',
    }
    const panel = await show([done, clock])
    expect(panel.findAll('strong').map((s) => s.text())).toEqual(['签收时限', '办理时限'])
    expect(panel.text()).toContain(clock.sentence)
    expect(panel.text()).toContain('超时完成')
    expect(panel.findAll('button')).toHaveLength(0)
  })

  it('offers an answer only while a reminder waits', async () => {
    expect((await show([clock], 'ticket.urge')).text()).toContain('催办')
    expect((await show([clock], 'ticket.reply')).text()).not.toContain('答复催办')
    expect((await show([clock, { ...clock, id: 3, kind: 'urge' }], 'ticket.reply')).text()).toContain('答复催办')
  })

  it('counts days as days and hours as minutes', () => {
    expect(clocks.typed(90, 'clock_minutes')).toBe(1.5)
    expect(clocks.counted(1.5, 'working_minutes')).toBe(90)
    expect(clocks.counted(3, 'working_days')).toBe(3)
    expect(clocks.clockState({ state: 'running', overdue: '1 小时' })).toBe('late')
    expect(clocks.clockState({ state: 'paused' })).toBe('paused')
  })
})
