import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/tickets',
    name: 'tickets',
    component: () => import('./TicketList.vue'),
    meta: { title: '诉求', tab: 'request', auth: true },
  },
  {
    path: '/tickets/new',
    name: 'ticket-new',
    component: () => import('./TicketForm.vue'),
    meta: {
      title: '提诉求',
      auth: true,
      order: 30,
      entry: { place: 'home', label: '提诉求', icon: 'edit' },
    },
  },
  {
    path: '/tickets/query',
    name: 'ticket-query',
    component: () => import('./QueryPage.vue'),
    meta: {
      title: '诉求进度查询',
      order: 35,
      entry: { place: 'home', label: '查进度', icon: 'search' },
    },
  },
  {
    path: '/tickets/:id(\\d+)',
    name: 'ticket',
    component: () => import('./TicketDetail.vue'),
    props: (route) => ({ id: Number(route.params.id) }),
    meta: { title: '诉求进度', auth: true },
  },
] satisfies RouteRecordRaw[]
