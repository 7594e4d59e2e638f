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
  {
    id: 'ticket.approvals',
    title: '待我审批的退单、延期和申诉',
    order: 11,
    span: 2,
    permissions: ['ticket.endorse', 'ticket.decide', 'ticket.arbitrate'],
    component: () => import('./ApprovalCard.vue'),
  },
] satisfies WorkbenchCard[]
