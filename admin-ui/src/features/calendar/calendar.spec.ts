import { flushPromises, mount } from '@vue/test-utils'
import ElementPlus from 'element-plus'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as api from './api'
import CalendarPage from './CalendarPage.vue'
import { minutesOf, months, periodsText, readPeriods, sayDay, setDay } from './year'

const work = [
  { from: 540, until: 720 },
  { from: 840, until: 1080 },
]
const definition: api.Definition = {
  weekly: [[], work, work, work, work, work, []],
  makeUp: work,
  days: [
    { day: '2026-10-01', work: false, name: '国庆节' },
    { day: '2026-10-10', work: true, name: '国庆节' },
  ],
  years: [2026],
}
const current: api.Calendar = {
  id: 1,
  state: 'published',
  note: '',
  version: 1,
  createdAt: '2026-11-01T00:00:00Z',
  createdBy: '系统',
  changedAt: '2026-11-01T00:00:00Z',
  changedBy: '系统',
  publishedAt: '2026-11-01T00:00:00Z',
  publishedBy: '系统',
  definition,
  warnings: ['2027年度日历未维护'],
}

describe('a year', () => {
  it('knows what each day is', () => {
    const year = months(2026, definition)
    const october = year[9]!.cells
    expect(october.slice(0, 4)).toEqual([null, null, null, expect.objectContaining({ day: 1, works: false })])
    expect(october.filter((c) => c !== null)).toHaveLength(31)
    const day = (n: number) => october.find((c) => c?.day === n)!
    expect(sayDay(day(1))).toBe('10月1日（四），放假，国庆节')
    expect(sayDay(day(10))).toBe('10月10日（六），调休上班，国庆节')
    expect(sayDay(day(11))).toBe('10月11日（日），休息')
    expect(sayDay(day(12))).toBe('10月12日（一），工作日')
    expect(months(2028, definition)[1]!.cells.filter((c) => c !== null)).toHaveLength(29)
  })

  it('sets a day and puts it back', () => {
    const set = setDay(definition, '2026-09-30', 'off', ' 区庆 ')
    expect(set.days[0]).toEqual({ day: '2026-09-30', work: false, name: '区庆' })
    expect(setDay(set, '2026-09-30', 'plain', '').days).toEqual(definition.days)
    expect(definition.days).toHaveLength(2)
  })

  it('reads periods as people type them', () => {
    expect(readPeriods(periodsText(work))).toEqual(work)
    expect(readPeriods('9：00至12：00，14:00 ~ 18:00')).toEqual(work)
    expect(readPeriods('20:00-24:00')).toEqual([{ from: 1200, until: 1440 }])
    expect(readPeriods('')).toEqual([])
    for (const bad of ['9-12', '12:00-09:00', '09:00-12:00 11:00-13:00', '09:00-12:60', '09:00-25:00', '09:00']) {
      expect(readPeriods(bad)).toBeNull()
    }
    expect(minutesOf('24:00')).toBe(1440)
  })
})

describe('the page', () => {
  beforeEach(() => {
    vi.spyOn(api, 'previewDraft').mockResolvedValue({ items: [], looked: 3 })
  })
  afterEach(() => vi.restoreAllMocks())

  const show = async (standing: api.Standing) => {
    vi.spyOn(api, 'getStanding').mockResolvedValue(standing)
    const page = mount(CalendarPage, { global: { plugins: [ElementPlus], stubs: { RouterLink: true } } })
    await flushPromises()
    return page
  }

  it('warns of a year nobody has set, and shows no editing to readers', async () => {
    const page = await show({ current, canManage: false })
    expect(page.text()).toContain('2027年度日历未维护')
    expect(page.findAll('button.day')).toHaveLength(0)
    expect(page.text()).not.toContain('修改日历')
  })

  it('publishes only after the effect was looked at', async () => {
    const draft = { ...current, id: 2, state: 'draft' as const, warnings: [] }
    const page = await show({ current, draft, canManage: true })
    const button = (text: string) => page.findAll('button').find((b) => b.text() === text)!
    expect(button('发布').attributes('disabled')).toBeDefined()
    await button('预览影响').trigger('click')
    await flushPromises()
    expect(page.text()).toContain('已核算 3 个在办时限')
    expect(button('发布').attributes('disabled')).toBeUndefined()
  })
})
