import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/news',
    name: 'news',
    component: () => import('./NewsList.vue'),
    meta: {
      title: '资讯',
      keep: true,
      order: 80,
      entry: { place: 'home', label: '资讯', icon: 'newspaper-o' },
    },
  },
  {
    path: '/news/:id(\\d+)',
    name: 'article',
    component: () => import('./ArticlePage.vue'),
    props: (route) => ({ id: Number(route.params.id) }),
    meta: { title: '正文' },
  },
  {
    path: '/help',
    name: 'help',
    component: () => import('./HelpList.vue'),
    meta: {
      title: '帮助',
      keep: true,
      order: 90,
      entry: { place: 'mine', label: '使用帮助', icon: 'question-o' },
    },
  },
  {
    path: '/answers',
    name: 'answers',
    component: () => import('./AnswerList.vue'),
    meta: { title: '常见问答', keep: true },
  },
  {
    path: '/answers/:id(\\d+)',
    name: 'answer',
    component: () => import('./AnswerPage.vue'),
    props: (route) => ({ id: Number(route.params.id) }),
    meta: { title: '常见问答' },
  },
] satisfies RouteRecordRaw[]
