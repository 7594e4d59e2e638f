import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/applications/:id(\\d+)/evidence',
    name: 'evidence',
    component: () => import('./EvidencePage.vue'),
    props: (route) => ({ id: Number(route.params.id) }),
    meta: { title: '服务佐证', auth: true },
  },
] satisfies RouteRecordRaw[]
