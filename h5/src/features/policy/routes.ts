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
    path: '/policies/answers',
    name: 'policy-answers',
    component: () => import('./AnswerList.vue'),
    meta: {
      title: '匹配答复',
      auth: true,
      order: 40,
      entry: { place: 'mine', label: '匹配答复', icon: 'records-o' },
    },
  },
  {
    path: '/policies/answers/:number',
    name: 'policy-answer',
    component: () => import('./AnswerPage.vue'),
    props: true,
    meta: { title: '匹配答复' },
  },
  {
    path: '/policies/grants',
    name: 'policy-grants',
    component: () => import('./GrantList.vue'),
    meta: {
      title: '免申即享',
      order: 41,
      entry: { place: 'mine', label: '免申即享', icon: 'certificate' },
    },
  },
  {
    path: '/policies/grants/:id(\\d+)',
    name: 'policy-grant',
    component: () => import('./GrantPage.vue'),
    props: (route) => ({ id: Number(route.params.id) }),
    meta: { title: '公示名单' },
  },
  {
    path: '/policies/:id(\\d+)',
    name: 'policy',
    component: () => import('./PolicyDetail.vue'),
    props: (route) => ({ id: Number(route.params.id) }),
    meta: { title: '政策详情' },
  },
  {
    path: '/policies/:id(\\d+)/revisions',
    name: 'policy-revisions',
    component: () => import('./PolicyRevisions.vue'),
    props: (route) => ({ id: Number(route.params.id) }),
    meta: { title: '修订记录' },
  },
] satisfies RouteRecordRaw[]
