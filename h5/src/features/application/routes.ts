import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/applications',
    name: 'applications',
    component: () => import('./ApplicationList.vue'),
    meta: {
      title: '我的申请',
      auth: true,
      order: 40,
      entry: [
        { place: 'home', label: '我的申请', icon: 'orders-o' },
        { place: 'mine', label: '我的申请', icon: 'orders-o' },
      ],
    },
  },
  {
    path: '/applications/:id(\\d+)',
    name: 'application',
    component: () => import('./ApplicationDetail.vue'),
    props: (route) => ({ id: Number(route.params.id) }),
    meta: { title: '申请进度', auth: true },
  },
  {
    path: '/products/:id(\\d+)/apply',
    name: 'apply',
    component: () => import('./ApplyPage.vue'),
    props: (route) => ({ id: Number(route.params.id) }),
    meta: { title: '填写申请', auth: true },
  },
] satisfies RouteRecordRaw[]
