import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'account',
    name: 'account',
    component: () => import('./AccountPage.vue'),
    meta: {
      title: '我的账号',
      help: [
        { heading: '修改密码', text: '修改后，其他设备上的登录全部结束。密码至少 10 个字符，不能包含账号。' },
        { heading: '登录设备', text: '发现不认识的设备，请立即结束登录并修改密码，再告诉系统管理员。' },
      ],
    },
  },
] satisfies FeatureRoute[]
