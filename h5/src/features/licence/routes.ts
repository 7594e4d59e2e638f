import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/company/licences',
    name: 'licences',
    component: () => import('./LicenceList.vue'),
    meta: { title: '证照库', auth: true },
  },
] satisfies RouteRecordRaw[]
