import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/login',
    name: 'login',
    component: () => import('./LoginPage.vue'),
    meta: { title: '登录', guest: true },
  },
  {
    path: '/register',
    name: 'register',
    component: () => import('./RegisterPage.vue'),
    // Kept, so that reading the privacy notice loses neither the code nor the countdown.
    meta: { title: '企业注册', guest: true, keep: true },
  },
  {
    path: '/privacy',
    name: 'privacy',
    component: () => import('./PrivacyPage.vue'),
    meta: { title: '隐私说明' },
  },
  {
    path: '/account',
    name: 'account',
    component: () => import('./AccountPage.vue'),
    meta: {
      title: '账号与安全',
      auth: true,
      order: 90,
      entry: { place: 'mine', label: '账号与安全', icon: 'setting-o' },
    },
  },
] satisfies RouteRecordRaw[]
