import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { Session } from '@/api/identity'
import type { WorkbenchCard } from '@/router/feature'
import { useSession } from '@/stores/session'
import { arrange } from './cards'
import { dutyOf, greeting } from './greeting'
import Workbench from './Workbench.vue'

const card = (id: string, span?: 1 | 2 | 3): WorkbenchCard => ({
  id,
  title: id,
  order: 1,
  span,
  component: () => Promise.resolve({ default: { template: '<i/>' } }),
})

describe('cards', () => {
  it.each([
    ['nothing', [], ''],
    ['one takes the row', [card('a')], 'A'],
    ['two share it', [card('a'), card('b')], 'ab'],
    ['the third takes its own', [card('a'), card('b'), card('c')], 'abC'],
    ['a wide one leaves no hole', [card('a'), card('b', 2), card('c'), card('d')], 'ABcd'],
    ['wide ones', [card('a', 3), card('b', 2)], 'AB'],
  ] as const)('%s', (_, cards, want) => {
    const rows = arrange([...cards]).map((c) => (c.wide ? c.id.toUpperCase() : c.id))
    expect(rows.join('')).toBe(want)
  })
})

describe('greeting', () => {
  it.each([
    ['2026-11-22T18:00:00Z', '夜深了'],
    ['2026-11-22T01:00:00Z', '上午好'],
    ['2026-11-22T06:00:00Z', '下午好'],
    ['2026-11-22T11:00:00Z', '晚上好'],
  ])('%s is %s in Beijing', (at, want) => expect(greeting(new Date(at))).toBe(want))

  it('names the duty of the role', () => {
    expect(dutyOf((r) => r === 'ticket.sign')).toContain('签收')
    expect(dutyOf((r) => r === 'content.publish' || r === 'ticket.dispatch')).toContain('时限')
    expect(dutyOf(() => false)).toBe('')
  })
})

describe('the page', () => {
  beforeEach(() => setActivePinia(createPinia()))

  function show(...permissions: string[]) {
    const pinia = createPinia()
    setActivePinia(pinia)
    useSession().set({
      signedIn: true,
      permissions,
      user: { id: 1, name: '周敏', party: 'platform', phoneMasked: '' },
      department: null,
      institution: null,
      enterprise: null,
    } as unknown as Session)
    const router = createRouter({
      history: createMemoryHistory(),
      routes: [{ path: '/:rest(.*)*', name: 'any', component: { template: '<i/>' } }],
    })
    return mount(Workbench, {
      global: { plugins: [pinia, router], stubs: { RouterLink: { template: '<a><slot/></a>' } } },
    })
  }

  it('tells somebody without any right whom to ask', () => {
    const text = show().text()
    expect(text).toContain('还没有开通业务')
    expect(text).toContain('联系平台的系统管理员')
  })

  it('shows the cards and pages of the rights somebody has', () => {
    const text = show('content.publish').text()
    expect(text).toContain('待审核的内容')
    expect(text).toContain('内容列表')
    expect(text).not.toContain('待我处理的工单')
  })
})
