import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import * as api from './api'
import { dayText, levels, policyStatus, policyWindow, supportText, topics, windowText } from './labels'
import OutcomePanel from './OutcomePanel.vue'
import PolicyList from './PolicyList.vue'
import PolicySheet from './PolicySheet.vue'

const item = {
  id: 5,
  version: 2,
  title: '烘焙小店措施',
  docNumber: '通企〔2026〕3号',
  issuer: '区商务局',
  level: 'district',
  levelName: '区级',
  topic: 'funding',
  topicName: '资金支持',
  publishedOn: '2026-07-30',
  opensOn: '2026-11-07',
  closesOn: '2027-01-21',
  window: 'open',
  windowName: '正在申报',
  benefit: '按投入的30%补助',
  capFen: 10_000_000,
  handlerName: '区商务局',
  matchable: true,
  status: 'published',
  statusName: '现行有效',
} satisfies api.PolicyItem

async function open(component: object, path: string, props = {}) {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/policies', name: 'policies', component: page },
      { path: '/policies/:id(\\d+)', name: 'policy', component: page },
    ],
  })
  await router.push(path)
  const wrapper = mount(component as typeof PolicyList, {
    props,
    global: { plugins: [router, createPinia()] },
    attachTo: document.body,
  })
  await flushPromises()
  return wrapper
}

describe('words', () => {
  it('says days, windows and support', () => {
    expect(dayText('2026-01-05')).toBe('2026年1月5日')
    expect(dayText('')).toBe('—')
    expect(windowText(item)).toBe('2026年11月7日 至 2027年1月21日')
    expect(windowText({})).toBe('常年受理')
    expect(supportText(item)).toBe('最高 10 万元')
    expect(supportText({ capFen: 0 })).toBe('不涉及资金')
    expect([levels, topics, policyStatus, policyWindow].map((table) => Object.keys(table).length)).toEqual([3, 8, 3, 4])
  })
})

describe('PolicyList', () => {
  it('asks for what the address says and shows a row for each policy', async () => {
    const load = vi.spyOn(api, 'listPolicies').mockResolvedValue({ items: [item] })
    const wrapper = await open(PolicyList, '/policies?status=published&level=district&q=烤箱')
    expect(load).toHaveBeenCalledWith(
      { q: '烤箱', status: 'published', level: 'district', topic: '', window: '', cursor: undefined, limit: 20 },
      expect.anything(),
    )
    await vi.waitFor(() => expect(wrapper.text()).toContain('烘焙小店措施'))
    expect(wrapper.text()).toContain('可比对')
  })
})

describe('PolicySheet', () => {
  const policy: api.Policy = {
    ...item,
    kinds: [],
    kindNames: [],
    benefits: [],
    files: [],
    clauses: [{ number: '第二条', text: '从业人员不超过100人 <script>alert(1)</script>' }],
    interpretation: '',
    faq: [],
    materials: ['申请表', '营业执照'],
    conditions: [
      { kind: 'group', depth: 0, label: '以下条件满足任意一条即可' },
      {
        kind: 'clause',
        depth: 1,
        label: '从业人员',
        required: '不超过 100 人',
        quote: '从业人员不超过100人',
        clause: '第二条',
      },
      { kind: 'clause', depth: 1, label: '未发生事故', state: 'human', word: '需人工判定', clause: '第五条' },
    ],
    history: [{ label: '发布', at: '2026-07-30T02:00:00Z', actor: 'seed' }],
  }
  it('reads the conditions as clauses, with markup as text', async () => {
    const text = (await open(PolicySheet, '/policies/5', { policy })).text()
    for (const said of [
      '以下条件满足任意一条即可',
      '不超过 100 人',
      '第二条“从业人员不超过100人”',
      '需人工判定',
      '<script>alert(1)</script>',
      '发布',
    ]) {
      expect(text).toContain(said)
    }
  })
  it('says that people judge where there are no conditions', async () => {
    const wrapper = await open(PolicySheet, '/policies/5', { policy: { ...policy, matchable: false, conditions: [] } })
    expect(wrapper.text()).toContain('申报条件尚未整理成可比对的数据')
  })
})

describe('OutcomePanel', () => {
  const counted = {
    told: 3,
    toldSince: 0,
    opened: 1,
    asked: 2,
    askedTold: 1,
    lists: 0,
    listed: 0,
    confirmed: 0,
    declined: 0,
  }
  it('says what was counted, and that a match is not there yet', async () => {
    vi.spyOn(api, 'getOutcome').mockResolvedValue({ at: '2026-11-22T02:00:00Z', ...counted })
    const text = (await open(OutcomePanel, '/policies/5', { policyId: 5 })).text()
    for (const said of ['尚未完成发布时的匹配', '3 家', '其中 1 家在告知之后查看', '没有公示过免申即享名单']) {
      expect(text).toContain(said)
    }
  })
  it('says when and over whom the match was made', async () => {
    const fit = { at: '2026-11-20T02:00:00Z', edition: 2, eligible: 1200, near: 7, companies: 150000 }
    vi.spyOn(api, 'getOutcome').mockResolvedValue({
      at: '2026-11-22T02:00:00Z',
      ...counted,
      fit,
      lists: 1,
      listed: 9,
      confirmed: 4,
      declined: 2,
    })
    const text = (await open(OutcomePanel, '/policies/5', { policyId: 5 })).text()
    for (const said of ['1,200 家', '另有 7 家接近', '第 2 版', '4 家', '共列入 9 家，放弃 2 家']) {
      expect(text).toContain(said)
    }
  })
})
