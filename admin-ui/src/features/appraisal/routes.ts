import { TrendCharts } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'appraisal',
    name: 'appraisal',
    component: () => import('./AppraisalPage.vue'),
    meta: {
      title: '三率考核',
      menu: '报表',
      icon: TrendCharts,
      order: 2,
      permissions: ['appraisal.view'],
      help: [
        {
          heading: '怎样计算',
          text: '一次派单到结束（办结、重办、退单、作废）为一个考核件，按结束的月份统计。哪些情形计入分子、分母，以及剔除的情形，见“考核口径”。',
        },
        {
          heading: '冻结和更正',
          text: '每月 1 日凌晨冻结上月结果，之后的申诉、撤销不再改变它；需要更正时形成新版本，写明原因，原版本保留。',
        },
        { heading: '数字背后的工单', text: '点击数字查看计入和剔除的工单，只显示您有权查看的。' },
      ],
    },
  },
] satisfies FeatureRoute[]
