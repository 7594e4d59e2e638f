import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/offline-services',
    name: 'offline-services',
    component: () => import('./OfflineList.vue'),
    meta: {
      title: '线下服务',
      auth: true,
      order: 45,
      entry: [{ place: 'mine', label: '线下服务', icon: 'location-o' }],
    },
  },
] satisfies RouteRecordRaw[]
