import { Medal, Picture } from '@element-plus/icons-vue'
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
  {
    path: 'assessments',
    name: 'assessments',
    component: () => import('./AssessmentList.vue'),
    meta: {
      title: '政府评估',
      menu: '机构',
      icon: Medal,
      order: 21,
      permissions: ['evidence.view', 'evidence.assess', 'evidence.add'],
      help: [
        {
          heading: '怎样评估',
          text: '政府人员打开申请或线下服务的详情，按评估表为服务机构和平台运营打分并写评语；机构能看到对自己的评估。',
        },
      ],
    },
  },
  {
    path: 'system/service-evidence',
    name: 'service-evidence',
    component: () => import('./ServiceSettings.vue'),
    meta: { title: '服务佐证与评估', menu: '系统', icon: Picture, order: 12, permissions: ['evidence.manage'] },
  },
] satisfies FeatureRoute[]
