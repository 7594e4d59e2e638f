import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/policies',
    name: 'policies',
    component: () => import('./PolicyList.vue'),
    meta: { title: '政策', tab: 'policy', keep: true },
  },
  {
    path: '/policies/match',
    name: 'policy-match',
    component: () => import('./PolicyMatch.vue'),
    meta: {
      title: '政策匹配',
      order: 10,
      keep: true,
      entry: { place: 'home', label: '政策匹配', icon: 'aim' },
    },
  },
  {
    path: '/policies/calendar',
    name: 'policy-calendar',
    component: () => import('./PolicyCalendar.vue'),
    meta: { title: '申报日历' },
  },
  {
    path: '/policies/:id(\\d+)',
    name: 'policy',
    component: () => import('./PolicyDetail.vue'),
    props: (route) => ({ id: Number(route.params.id) }),
    meta: { title: '政策详情' },
  },
] satisfies RouteRecordRaw[]
