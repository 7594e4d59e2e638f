import { EditPen, Tickets, Timer } from '@element-plus/icons-vue'
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
        {
          heading: '退单、延期和挂起',
          text: '承办单位在办理环节里申请退单、延期，由派单的一级审批；等待企业补充材料时可以挂起，办理时限停止计算。',
        },
        {
          heading: '点错了怎么办',
          text: '刚做的一步，本人 15 分钟内可以撤销；之后由本级负责人撤销，办结后只能由督办人员撤销。已经发出的通知不会收回。',
        },
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
  {
    path: 'system/ticket-budgets',
    name: 'ticket-budgets',
    component: () => import('./BudgetPage.vue'),
    meta: {
      title: '办理时限',
      menu: '系统',
      icon: Timer,
      order: 9,
      permissions: ['ticket.budgets'],
      help: [
        {
          heading: '四项时限',
          text: '办理时限自受理起至答复企业；签收时限自派单起；承办时限自签收起，不超过办理时限；催办答复时限自催办起。',
        },
        { heading: '修改的影响', text: '修改只影响之后开始的计时，正在计时的工单仍按原时限。' },
      ],
    },
  },
] satisfies FeatureRoute[]
