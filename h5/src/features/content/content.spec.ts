import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'

import * as api from '@/api/content'
import { ApiError } from '@/api/error'

import ArticlePage from './ArticlePage.vue'
import HelpList from './HelpList.vue'
import NewsList from './NewsList.vue'

const card = (id: number, more: Partial<api.ArticleCard> = {}): api.ArticleCard => ({
  id,
  kind: 'news',
  column: 'story',
  columnName: '企业故事',
  title: `第${id}篇`,
  summary: '摘要',
  source: '区企业服务中心',
  top: false,
  publishAt: '2026-11-22T01:30:00Z',
  ...more,
})

async function open(component: typeof ArticlePage | typeof NewsList | typeof HelpList, props = {}) {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/news', name: 'news', component: page },
      { path: '/news/:id(\\d+)', name: 'article', component: page },
      { path: '/:rest(.*)*', component: page },
    ],
  })
  await router.push('/news')
  const wrapper = mount(component as typeof NewsList, {
    props,
    global: { plugins: [router, createPinia()] },
  })
  await flushPromises()
  return wrapper
}

beforeEach(() => {
  vi.spyOn(api, 'listColumns').mockResolvedValue([
    { kind: 'news', code: 'story', name: '企业故事' },
    { kind: 'help', code: 'account', name: '账号与登录' },
  ])
})

describe('news', () => {
  it('asks for what the tab says', async () => {
    const list = vi.spyOn(api, 'listArticles').mockResolvedValue({ items: [card(1, { top: true })] })
    const wrapper = await open(NewsList)
    expect(wrapper.text()).toContain('置顶第1篇')
    await wrapper.findAll('.van-tab')[1]!.trigger('click')
    await flushPromises()
    expect(list).toHaveBeenLastCalledWith({ kind: 'notice', limit: 20 }, undefined)
    await wrapper.findAll('.van-tab')[2]!.trigger('click')
    await flushPromises()
    expect(list).toHaveBeenLastCalledWith({ kind: 'news', column: 'story', limit: 20 }, undefined)
  })

  it('says that a column is empty and that loading failed', async () => {
    vi.spyOn(api, 'listArticles').mockResolvedValue({ items: [] })
    expect((await open(NewsList)).text()).toContain('还没有内容')
    vi.spyOn(api, 'listArticles').mockRejectedValue(new ApiError('network'))
    expect((await open(NewsList)).text()).toContain('重新加载')
  })
})

describe('an article', () => {
  it('shows text as text', async () => {
    vi.spyOn(api, 'getArticle').mockResolvedValue({
      ...card(3),
      title: '<b>标题</b>',
      blocks: [
        { kind: 'paragraph', spans: [{ text: '<img src=x onerror=alert(1)>' }] },
        { kind: 'list', items: [[{ text: '见' }, { text: '指南', url: '/help/3' }]] },
      ],
      files: [
        {
          id: 9,
          name: '附件.pdf',
          size: 10,
          mime: 'application/pdf',
          url: '/content/3/files/9',
          state: 'available',
        },
      ],
    })
    const wrapper = await open(ArticlePage, { id: 3 })
    expect(wrapper.find('img').exists()).toBe(false)
    expect(wrapper.find('b').exists()).toBe(false)
    expect(wrapper.get('li a').attributes('href')).toBe('/help/3')
    expect(wrapper.get('a.file').attributes('href')).toBe('/content/3/files/9')
  })

  it('leads on from one that was taken down', async () => {
    vi.spyOn(api, 'getArticle').mockRejectedValue(new ApiError('not_found'))
    const wrapper = await open(ArticlePage, { id: 3 })
    expect(wrapper.text()).toContain('没有找到')
    expect(wrapper.text()).toContain('查看最新资讯')
  })
})

it('groups the help', async () => {
  vi.spyOn(api, 'listArticles').mockResolvedValue({
    items: [card(4, { kind: 'help', column: 'account', title: '更换手机号' })],
  })
  const wrapper = await open(HelpList)
  expect(wrapper.text()).toContain('账号与登录')
  expect(wrapper.text()).toContain('更换手机号')
})
