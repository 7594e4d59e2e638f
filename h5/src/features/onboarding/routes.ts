import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/institutions/apply',
    name: 'onboarding',
    component: () => import('./OnboardingPage.vue'),
    meta: { title: '机构入驻申请', auth: true },
  },
  {
    path: '/institutions/apply/:id(\\d+)',
    name: 'onboarding-course',
    component: () => import('./CoursePage.vue'),
    props: (route) => ({ id: Number(route.params['id']) }),
    meta: { title: '入驻申请进度', auth: true },
  },
] satisfies RouteRecordRaw[]
