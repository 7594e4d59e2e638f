import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import * as api from '@/features/ticket/api'
import LetterPage from './LetterPage.vue'

const step = (seq: number, kind: string, label: string, text: string, actor = '', dueAt?: string) => ({
  seq,
  kind: `ticket.${kind}`,
  label,
  text,
  actor,
  dueAt,
  at: `2026-11-2${seq}T02:00:00Z`,
})

const ticket = {
  id: 7,
  number: 'GD20261121-000007',
  title: '园区停电',
  unitName: '区供电办',
  createdAt: '2026-11-21T02:00:00Z',
  dueAt: '2026-12-04T10:00:00Z', // put off twice since
  timeline: [
    step(1, 'opened', '提交诉求，受理', ''),
    step(2, 'instructed', '领导批示', '请供电办牵头', '李区长'),
    step(
      3,
      'urged',
      '向区供电办发出催办',
      '请两小时内到场\n请于2026年11月23日 15:00前答复',
      '',
      '2026-11-24T10:00:00Z',
    ),
    step(4, 'instructed', '领导批示', '今日内恢复供电。', '王区长'),
    step(5, 'urged', '向区供电办发出督办通知书', '承办时限已超时', '', '2026-11-26T10:00:00Z'),
    step(6, 'instructed', '领导批示', '明日上报结果', '王区长'),
  ],
}

async function letter(path: string): Promise<string> {
  vi.spyOn(api, 'getTicket').mockResolvedValue(ticket as never)
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/tickets/:id', name: 'ticket', component: page },
      { path: '/tickets/:id/letter', name: 'ticket-letter', component: page },
    ],
  })
  await router.push(path)
  const wrapper = mount(LetterPage, { global: { plugins: [router, createPinia()] } })
  await flushPromises()
  return wrapper.get('article').text().replace(/\s+/g, ' ')
}

it('the letter says what was asked and what leaders said, each line a sentence', async () => {
  const text = await letter('/tickets/7/letter?seq=3')
  expect(text).toContain('催办通知书')
  expect(text).toContain('区供电办：')
  expect(text).toContain('请两小时内到场。')
  expect(text).toContain('请于2026年11月23日 15:00前答复。')
  expect(text).toContain('领导批示（李区长，2026年11月22日）：')
  expect(text).toContain('今日内恢复供电。')
  // What was said after the next letter belongs to that one.
  expect(text).not.toContain('明日上报结果')
})

it('the last letter carries all of it', async () => {
  const text = await letter('/tickets/7/letter')
  expect(text).toContain('督办通知书')
  for (const said of ['请供电办牵头。', '今日内恢复供电。', '明日上报结果。']) expect(text).toContain(said)
})

it('a letter printed again says the deadline of its day', async () => {
  expect(await letter('/tickets/7/letter?seq=3')).toContain('办理时限为2026年11月24日 18:00')
  expect(await letter('/tickets/7/letter?seq=5')).toContain('办理时限为2026年11月26日 18:00')
})
