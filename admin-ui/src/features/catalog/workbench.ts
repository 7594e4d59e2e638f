import type { WorkbenchCard } from '@/router/feature'

export default [
  {
    id: 'product.waiting',
    title: '待我审核的产品',
    order: 20,
    span: 2,
    permissions: [
      'product.review_platform',
      'product.review_government',
      'product.review_platform:deputed',
      'product.review_government:deputed',
    ],
    component: () => import('./WaitingCard.vue'),
  },
  {
    id: 'product.own',
    title: '待我完善的产品',
    order: 21,
    span: 2,
    permissions: ['product.edit'],
    component: () => import('./WaitingCard.vue'),
  },
] satisfies WorkbenchCard[]
