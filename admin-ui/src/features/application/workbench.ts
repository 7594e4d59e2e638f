import type { WorkbenchCard } from '@/router/feature'

export default [
  {
    id: 'application.waiting',
    title: '待受理的申请',
    order: 20,
    span: 2,
    permissions: ['application.handle'],
    component: () => import('./WaitingCard.vue'),
  },
] satisfies WorkbenchCard[]
