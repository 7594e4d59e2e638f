import { ChatDotRound } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'system/conversation',
    name: 'conversation-rule',
    component: () => import('./RulePage.vue'),
    meta: { title: '服务沟通规则', menu: '系统', icon: ChatDotRound, order: 13, permissions: ['conversation.manage'] },
  },
] satisfies FeatureRoute[]
