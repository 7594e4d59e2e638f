import { Tickets } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'system/contract-templates',
    name: 'contract-templates',
    component: () => import('./TemplatePage.vue'),
    meta: { title: '合同模板', menu: '申请', icon: Tickets, order: 9, permissions: ['contract.templates'] },
  },
] satisfies FeatureRoute[]
