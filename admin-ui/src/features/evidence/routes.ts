import { Picture } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'system/evidence',
    name: 'evidence',
    component: () => import('./EvidencePage.vue'),
    meta: {
      title: '佐证要求',
      menu: '系统',
      icon: Picture,
      order: 10,
      permissions: ['ticket.types'],
      help: [
        {
          heading: '佐证怎样进入考核',
          text: '反馈时按清单核对，审核时逐项认定有效或无效；佐证完整有效的反馈所占比例，即佐证完整率。',
        },
      ],
    },
  },
] satisfies FeatureRoute[]
