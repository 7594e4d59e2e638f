import { DataAnalysis, Location } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'offline-services',
    name: 'offline-services',
    component: () => import('./OfflineList.vue'),
    meta: {
      title: '线下服务',
      menu: '申请',
      icon: Location,
      order: 6,
      permissions: ['offline.record', 'offline.view'],
      help: [
        {
          heading: '怎样计数',
          text: '登记后系统给企业负责人发短信，企业确认后才计数；同一企业、产品、机构、日期只计一次。企业没有平台账号的，短信发到登记时填写的手机号。',
        },
      ],
    },
  },
  {
    path: 'offline-services/stats',
    name: 'offline-stats',
    component: () => import('./StatsPage.vue'),
    meta: {
      title: '线下服务统计',
      menu: '申请',
      icon: DataAnalysis,
      order: 7,
      permissions: ['offline.record', 'offline.view'],
    },
  },
] satisfies FeatureRoute[]
