import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/company/consents',
    name: 'consents',
    component: () => import('./ConsentList.vue'),
    meta: { title: '数据授权', auth: true },
  },
  {
    path: '/company/consents/:purpose',
    name: 'consent',
    component: () => import('./ConsentPage.vue'),
    meta: { title: '数据授权书', auth: true },
  },
] satisfies RouteRecordRaw[]
