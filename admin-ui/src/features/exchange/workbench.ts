import type { WorkbenchCard } from '@/router/feature'

export default [
  {
    id: 'exchange.trouble',
    title: '数据回流异常',
    order: 50,
    permissions: ['exchange.view'],
    component: () => import('./TroubleCard.vue'),
  },
] satisfies WorkbenchCard[]
