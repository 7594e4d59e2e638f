import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import * as api from './api'
import ArticleActions from './ArticleActions.vue'
import ArticleForm from './ArticleForm.vue'
import BlockView from '@/components/BlockView.vue'
import { checkArticle, emptyArticle, fromBeijing, textOf, toBeijing } from './checks'
import { mark } from '@/components/mark'
import { standingOf } from './labels'

afterEach(() => vi.restoreAllMocks())

const page = { template: '<i/>' }
const routerAt = async (path: string) => {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/articles', name: 'articles', component: page },
      { path: '/articles/new', name: 'article-new', component: page },
      { path: '/articles/:id(\\d+)', name: 'article', component: page },
      { path: '/articles/:id(\\d+)/edit', name: 'article-edit', component: page },
    ],
  })
  await router.push(path)
  return router
}

const article = (more: Partial<api.Article> = {}): api.Article => ({
  id: 5,
  version: 3,
  kind: 'news',
  column: 'story',
  columnName: '企业故事',
  title: '一家面包房',
  status: 'review',
  scheduled: false,
  over: false,
  top: false,
  source: '区企业服务中心',
  authorName: '李敏',
  publisherName: '',
  updatedAt: '2026-11-22T06:05:00Z',
  summary: '',
  body: '正文',
  blocks: [{ kind: 'paragraph', spans: [{ text: '正文' }] }],
  reason: '',
  files: [],
  timeline: [],
  actions: ['publish', 'return'],
  ownWork: false,
  ...more,
})

describe('the form', () => {
  it('writes times of Beijing whatever the computer is set to', () => {
    expect(toBeijing('2026-11-22T18:05:00Z')).toBe('2026-11-23 02:05')
    expect(fromBeijing('2026-11-23 02:05')).toBe('2026-11-22T18:05:00.000Z')
    expect(fromBeijing('')).toBeUndefined()
  })

  it('says what is missing', () => {
    expect(Object.keys(checkArticle(emptyArticle()))).toEqual(['column', 'title', 'body', 'source'])
    const notice = { ...emptyArticle(), kind: 'notice' as const, title: '维护', body: '零点', source: '平台' }
    expect(checkArticle(notice)).toEqual({ expiresAt: expect.stringContaining('有效期') })
    const early = { ...notice, publishAt: '2026-11-23 10:00', expiresAt: '2026-11-23 09:00' }
    expect(checkArticle(early).expiresAt).toContain('晚于')
    expect(textOf({ ...notice, column: 'story', kept: [1] }, [2])).toMatchObject({ column: undefined, fileIds: [1, 2] })
  })

  it.each([
    ['heading', '一\n二\n三', 2, 2, '一\n# 二\n三'],
    ['list', '一\n二\n三', 0, 3, '- 一\n- 二\n三'],
    ['steps', '- 一\n# 二', 0, 7, '1. 一\n2. 二'],
    ['link', '见指南。', 1, 3, '见[指南](https://)。'],
  ] as const)('puts %s around the selection', (kind, text, from, to, want) => {
    expect(mark(text, from, to, kind).text).toBe(want)
  })

  it('saves and asks for the review with one click, once', async () => {
    vi.spyOn(api, 'listColumns').mockResolvedValue([{ kind: 'news', code: 'story', name: '企业故事' }])
    vi.spyOn(api, 'blocksOf').mockResolvedValue([])
    const create = vi.spyOn(api, 'createArticle').mockResolvedValue(article({ status: 'draft', version: 1 }))
    const step = vi.spyOn(api, 'stepArticle').mockResolvedValue(article())
    const router = await routerAt('/articles/new')
    const wrapper = mount(ArticleForm, { global: { plugins: [router, createPinia()] } })
    await flushPromises()
    const submit = () => wrapper.findAll('button').find((b) => b.text() === '提交审核')!
    await submit().trigger('click')
    expect(create).not.toHaveBeenCalled()
    await vi.waitFor(() => expect(wrapper.text()).toContain('请填写标题'))
    const form = wrapper.getComponent({ name: 'ArticlePreview' }).props('values') as ReturnType<typeof emptyArticle>
    Object.assign(form, { column: 'story', title: '一家面包房', body: '正文', source: '区企业服务中心' })
    await submit().trigger('click')
    await submit().trigger('click')
    await flushPromises()
    expect(create).toHaveBeenCalledTimes(1)
    expect(create.mock.calls[0]![0]).toMatchObject({ title: '一家面包房', column: 'story' })
    expect(step).toHaveBeenCalledWith(expect.objectContaining({ id: 5, version: 1 }), 'submit', expect.any(String))
    expect(router.currentRoute.value.name).toBe('article')
  })

  it('opens no published article', async () => {
    vi.spyOn(api, 'listColumns').mockResolvedValue([])
    vi.spyOn(api, 'blocksOf').mockResolvedValue([])
    vi.spyOn(api, 'getArticle').mockResolvedValue(article({ status: 'published', actions: ['withdraw'] }))
    const wrapper = mount(ArticleForm, { global: { plugins: [await routerAt('/articles/5/edit'), createPinia()] } })
    await flushPromises()
    expect(wrapper.text()).toContain('只有草稿可以修改')
  })
})

it('shows text as text and only the links the server made', () => {
  const wrapper = mount(BlockView, {
    props: {
      blocks: [
        { kind: 'paragraph', spans: [{ text: '<img src=x onerror=alert(1)>' }, { text: '官网', url: 'https://a.cn' }] },
        { kind: 'steps', start: 3, items: [[{ text: '第三步' }]] },
      ],
    },
  })
  expect(wrapper.find('img').exists()).toBe(false)
  expect(wrapper.text()).toContain('<img src=x')
  expect(wrapper.get('a').attributes('href')).toBe('https://a.cn')
  expect(wrapper.get('ol').attributes('start')).toBe('3')
})

it('offers the steps of the state and asks for a reason', async () => {
  const takeBack = vi.fn().mockResolvedValue(true)
  const wrapper = mount(ArticleActions, {
    props: { article: article(), busy: false, take: vi.fn(), takeBack },
    global: { plugins: [await routerAt('/articles/5')], stubs: { teleport: true } },
  })
  const words = wrapper.findAll('button').map((b) => b.text())
  expect(words).toEqual(['审核发布', '退回修改', '按门户页面预览'])
  expect(wrapper.get('a').attributes('href')).toBe('/content/5/preview')
  await wrapper.setProps({ article: article({ status: 'published', actions: ['withdraw'] }) })
  expect(wrapper.get('a').attributes('href')).toBe('/news/5')
})

it('calls a published article by where it stands in time', () => {
  expect(standingOf({ status: 'published', scheduled: true, over: false })).toBe('scheduled')
  expect(standingOf({ status: 'published', scheduled: false, over: true })).toBe('over')
  expect(standingOf({ status: 'draft', scheduled: false, over: false })).toBe('draft')
})
