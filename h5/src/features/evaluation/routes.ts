import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/applications/:id(\\d+)/evaluation',
    name: 'evaluation',
    component: () => import('./EvaluatePage.vue'),
    props: (route) => ({ id: Number(route.params.id) }),
    meta: { title: '服务评价', auth: true },
  },
  {
    path: '/products/:id(\\d+)/evaluations',
    name: 'product-evaluations',
    component: () => import('./CommentsPage.vue'),
    props: (route) => ({ of: 'product', id: Number(route.params.id) }),
    meta: { title: '服务评价' },
  },
  {
    path: '/institutions/:id(\\d+)/evaluations',
    name: 'institution-evaluations',
    component: () => import('./CommentsPage.vue'),
    props: (route) => ({ of: 'institution', id: Number(route.params.id) }),
    meta: { title: '服务评价' },
  },
] satisfies RouteRecordRaw[]
