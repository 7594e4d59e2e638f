import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/products',
    name: 'products',
    component: () => import('./ProductList.vue'),
    meta: { title: '服务产品', tab: 'service', keep: true },
  },
  {
    path: '/products/suitable',
    name: 'suitable-products',
    component: () => import('./SuitablePage.vue'),
    meta: { title: '适合本企业的产品', auth: true },
  },
  {
    path: '/products/compare',
    name: 'compare-products',
    component: () => import('./ComparePage.vue'),
    meta: { title: '产品对比' },
  },
  {
    path: '/products/:id(\\d+)',
    name: 'product',
    component: () => import('./ProductDetail.vue'),
    props: (route) => ({ id: Number(route.params.id) }),
    meta: { title: '产品详情' },
  },
] satisfies RouteRecordRaw[]
