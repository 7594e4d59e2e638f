import { EditPen, Tickets } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'tickets',
    name: 'tickets',
    component: () => import('./TicketList.vue'),
    meta: {
      title: '工单列表',
      menu: '工单',
      icon: Tickets,
      order: 1,
      permissions: ['ticket.view'],
      help: [
        {
          heading: '能看到哪些工单',
          text: '受理席看到全区工单；承办单位看到派给本单位的工单，以及曾经由本单位办理的工单。',
        },
        { heading: '办理顺序', text: '受理后可直接答复、不予受理或派单；承办单位签收、反馈后，由受理席回访并办结。' },
      ],
    },
  },
  {
    path: 'tickets/new',
    name: 'ticket-new',
    component: () => import('./TicketForm.vue'),
    meta: { title: '代客登记', menu: '工单', icon: EditPen, order: 2, permissions: ['ticket.open'] },
  },
  {
    path: 'tickets/:id(\\d+)',
    name: 'ticket',
    component: () => import('./TicketPage.vue'),
    meta: { title: '工单详情', parent: 'tickets', permissions: ['ticket.view'] },
  },
] satisfies FeatureRoute[]
