import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/applications/:id(\\d+)/messages',
    name: 'conversation',
    component: () => import('./ThreadPage.vue'),
    props: (route) => ({ id: Number(route.params.id) }),
    meta: { title: '与机构沟通', auth: true },
  },
] satisfies RouteRecordRaw[]
