import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/mine',
    name: 'mine',
    component: () => import('./MinePage.vue'),
    meta: { title: '我的', tab: 'mine', auth: true },
  },
] satisfies RouteRecordRaw[]
