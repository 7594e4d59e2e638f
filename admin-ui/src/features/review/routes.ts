import { ChatLineSquare } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'system/return-reasons',
    name: 'return-reasons',
    component: () => import('./ReasonPage.vue'),
    meta: {
      title: '退回原因',
      menu: '系统',
      icon: ChatLineSquare,
      order: 60,
      permissions: ['review.reasons'],
      help: [
        {
          heading: '怎样写退回原因',
          text: '写明哪里不符合、应当怎样改。“其他原因”本身不展示，由审核人员写明说明。每类审核至少保留一个使用中的原因。',
        },
      ],
    },
  },
] satisfies FeatureRoute[]
