import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/applications/:id(\\d+)/evidence',
    name: 'evidence',
    component: () => import('./EvidencePage.vue'),
    props: (route) => ({ of: { object: 'application', id: Number(route.params.id) } }),
    meta: { title: '服务佐证', auth: true },
  },
  {
    path: '/offline-services/:id(\\d+)/evidence',
    name: 'offline-evidence',
    component: () => import('./EvidencePage.vue'),
    props: (route) => ({ of: { object: 'offline_service', id: Number(route.params.id) } }),
    meta: { title: '服务佐证', auth: true },
  },
] satisfies RouteRecordRaw[]
