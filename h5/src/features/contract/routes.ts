import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/applications/:id(\\d+)/contracts',
    name: 'contracts',
    component: () => import('./ContractsPage.vue'),
    props: (route) => ({ id: Number(route.params.id) }),
    meta: { title: '电子合同', auth: true },
  },
] satisfies RouteRecordRaw[]
