import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'

import * as content from '@/api/content'
import { ApiError } from '@/api/error'
import type { Session } from '@/api/session'
import * as applications from '@/features/application/api'
import * as tickets from '@/features/ticket/api'
import { useSession } from '@/stores/session'

import { openCases } from './cases'
import HomePage from './HomePage.vue'
import MatchCard from './MatchCard.vue'

const ticket = (id: number, more: Partial<tickets.TicketItem>) =>
  ({
    id,
    title: `诉求${id}`,
    status: 'signed',
    rating: 0,
    createdAt: `2026-11-2${id}T01:00:00Z`,
    ...more,
  }) as tickets.TicketItem

const article = (id: number, kind: string) =>
  ({
    id,
    kind,
    columnName: '要闻',
    title: `${kind}${id}`,
    publishAt: '2026-11-22T01:30:00Z',
  }) as content.ArticleCard

function session(more: Partial<Session>): Session {
  return {
    csrfToken: 't',
    demo: true,
    district: '通州区',
    permissions: [],
    deputed: [],
    signedIn: false,
    wechat: false,
    user: null,
    enterprise: null,
    institution: null,
    department: null,
    ...more,
  } as Session
}

async function open(told: Session) {
  setActivePinia(createPinia())
  useSession().accept(told)
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/', component: page },
      { path: '/news/:id', name: 'article', component: page },
      { path: '/:rest(.*)*', component: page },
    ],
  })
  await router.push('/')
  const wrapper = mount(HomePage, { global: { plugins: [router] } })
  await flushPromises()
  return wrapper
}

const owner = session({
  signedIn: true,
  user: { id: 7, name: '王芳', party: 'enterprise', phoneMasked: '' },
  enterprise: { id: 70, name: '麦香烘焙', verification: 'unverified', creditCode: '' } as never,
})

beforeEach(() => {
  vi.spyOn(applications, 'listApplications').mockResolvedValue({ items: [] })
  vi.spyOn(content, 'listArticles').mockImplementation(({ kind }) =>
    Promise.resolve({ items: [article(kind === 'news' ? 2 : 1, kind)] }),
  )
})

describe('home', () => {
  it('asks a visitor to register and shows what is published', async () => {
    const list = vi.spyOn(tickets, 'listTickets')
    const wrapper = await open(session({}))
    expect(wrapper.text()).toContain('企业注册')
    expect(wrapper.text()).toContain('notice1')
    expect(wrapper.text()).toContain('news2')
    expect(list).not.toHaveBeenCalled()
  })

  it('shows a company how it stands and what is open', async () => {
    vi.spyOn(tickets, 'listTickets').mockResolvedValue({ items: [ticket(1, {})] })
    const wrapper = await open(owner)
    for (const word of ['麦香烘焙', '未认证', '正在办理', '诉求1', '办理中'])
      expect(wrapper.text()).toContain(word)
  })

  it('goes on without a block that fails, and offers to try again', async () => {
    const list = vi.spyOn(tickets, 'listTickets').mockRejectedValue(new ApiError('network'))
    const wrapper = await open(owner)
    expect(wrapper.text()).toContain('news2')
    expect(wrapper.text()).toContain('部分内容没有加载成功')
    list.mockResolvedValue({ items: [ticket(1, {})] })
    await wrapper.get('.failed button').trigger('click')
    await flushPromises()
    expect(wrapper.text()).toContain('诉求1')
    expect(wrapper.find('.failed').exists()).toBe(false)
  })
})

it.each([
  [{ eligible: 2, possible: 3, nearly: 0 }, '为您匹配 2 项政策'],
  [{ eligible: 0, possible: 3, nearly: 1 }, '待确认 3 项政策'],
  [{ eligible: 0, possible: 0, nearly: 1 }, '看看有哪些适合您的政策'],
])('leads to the policies with the best there is: %o', (summary, said) => {
  const wrapper = mount(MatchCard, {
    props: { summary, to: '/policies/match' },
    global: { stubs: { RouterLink: { template: '<a><slot /></a>' } } },
  })
  expect(wrapper.get('strong').text()).toBe(said)
})

it('lists what is open, what waits for her first', async () => {
  vi.spyOn(tickets, 'listTickets').mockResolvedValue({
    items: [
      ticket(1, {}),
      ticket(2, { status: 'closed', rating: 5 }),
      ticket(3, { status: 'voided' }),
      ticket(4, { status: 'received' }),
      ticket(5, { status: 'closed' }),
    ],
  })
  const loan = { id: 9, productName: '烘焙贷', status: 'supplement', submittedAt: '2026-11-20T01:00:00Z' }
  vi.spyOn(applications, 'listApplications').mockResolvedValue({
    items: [loan as applications.ApplicationItem],
  })
  const cases = await openCases()
  expect(cases.map((c) => c.title)).toEqual(['诉求5', '烘焙贷', '诉求4', '诉求1'])
  expect(cases[0]!.next).toContain('评价')
  expect(cases[1]!.next).toContain('补充')
})
