import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { useSession } from '@/stores/session'
import * as api from './api'
import DispatchHint from './DispatchHint.vue'
import { filtered } from './labels'

beforeEach(() => {
  setActivePinia(createPinia())
  vi.spyOn(useSession(), 'can').mockReturnValue(true)
})
afterEach(() => vi.restoreAllMocks())

const version = (state: api.Version['state'], leadId: number, leadName: string): api.Version => ({
  no: 1,
  state,
  lineId: 1,
  leadId,
  leadName,
  helpers: [{ id: 99, name: '区交通局' }],
  validFrom: '2026-01-01T00:00:00Z',
  reason: '',
  basis: '',
  endReason: '',
  authorName: '',
  createdAt: '2026-01-01T00:00:00Z',
  matterName: '停水停电',
  areaName: '全区',
})
const line = (id: number, more: Partial<api.Line>): api.Line => ({
  id,
  version: 1,
  matter: '050101',
  matterName: '停水停电',
  group: false,
  area: '',
  areaName: '全区',
  versions: [],
  problems: [],
  ...more,
})
const lines = [
  line(1, { valid: version('valid', 10, '区城管委') }),
  line(2, { area: '114', areaName: '台湖镇', planned: version('planned', 12, '台湖镇政府') }),
  line(3, { matter: '010101', matterName: '政策咨询' }),
]
const ids = (f: Partial<Parameters<typeof filtered>[1]>) =>
  filtered(lines, { q: '', area: '', unit: '', state: '', ...f }).map((l) => l.id)

it('keeps what is or will be valid, unless asked for more', () => {
  expect(ids({})).toEqual([1, 2])
  expect(ids({ state: 'all' })).toEqual([1, 2, 3])
  expect(ids({ state: 'over' })).toEqual([3])
  expect(ids({ state: 'planned' })).toEqual([2])
  expect(ids({ area: 'district' })).toEqual([1])
  expect(ids({ area: '114' })).toEqual([2])
  expect(ids({ unit: '99' })).toEqual([1, 2])
  expect(ids({ unit: '10' })).toEqual([1])
  expect(ids({ q: '城管' })).toEqual([1])
})

const said = (more: Partial<api.Suggestion>): api.Suggestion => ({
  why: 'exact',
  reason: '派单目录：“停水停电”全区',
  helpers: [],
  area: '',
  areaName: '全区',
  experience: [],
  ...more,
})

it('takes a suggestion of the directory at once', async () => {
  vi.spyOn(api, 'suggest').mockResolvedValue(said({ lead: { id: 10, name: '区城管委' } }))
  const wrapper = mount(DispatchHint, { props: { type: '050101', text: '停电' } })
  await flushPromises()
  expect(wrapper.emitted('pick')).toEqual([[10]])
  expect(wrapper.text()).toContain('派单目录：')
})

it('only shows experience, which a person must choose', async () => {
  vi.spyOn(api, 'suggest').mockResolvedValue(
    said({ why: 'experience', experience: [{ unitId: 11, unitName: '区交通局', times: 4 }] }),
  )
  const wrapper = mount(DispatchHint, { props: { type: '010101', text: '' } })
  await flushPromises()
  expect(wrapper.emitted('pick')).toBeUndefined()
  await wrapper.get('button').trigger('click')
  expect(wrapper.emitted('pick')).toEqual([[11]])
  expect(wrapper.text()).toContain('仅供参考')
})
