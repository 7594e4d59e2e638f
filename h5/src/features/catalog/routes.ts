import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/products',
    name: 'products',
    component: () => import('./ProductList.vue'),
    meta: { title: '服务产品', tab: 'service', keep: true },
  },
  {
    path: '/products/:id(\\d+)',
    name: 'product',
    component: () => import('./ProductDetail.vue'),
    props: (route) => ({ id: Number(route.params.id) }),
    meta: { title: '产品详情' },
  },
] satisfies RouteRecordRaw[]
