import type { WorkbenchCard } from '@/router/feature'

export default [
  {
    id: 'ticket.waiting',
    title: '待我处理的工单',
    order: 10,
    span: 2,
    permissions: ['ticket.view'],
    component: () => import('./WaitingCard.vue'),
  },
] satisfies WorkbenchCard[]
