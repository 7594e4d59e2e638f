import { DocumentChecked } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'quality/checks',
    name: 'quality-checks',
    component: () => import('./CheckList.vue'),
    meta: {
      title: '质检',
      menu: '督导',
      icon: DocumentChecked,
      order: 7,
      permissions: ['quality.view', 'quality.own'],
      help: [
        {
          heading: '怎样抽取',
          text: '每天凌晨从前一日每名坐席的受理、直接答复、回访中随机抽取，件数在“质检设置”中设定；班长可以加抽。',
        },
        { heading: '申诉', text: '坐席收到评分后在期限内可申诉一次，由评分人和本人以外的人复核，复核结果为最终结果。' },
      ],
    },
  },
  {
    path: 'quality/checks/:id',
    name: 'quality-check',
    component: () => import('./CheckPage.vue'),
    meta: { title: '质检单', parent: 'quality-checks', permissions: ['quality.view', 'quality.own'] },
  },
  {
    path: 'quality/month',
    name: 'quality-month',
    component: () => import('./MonthPage.vue'),
    meta: {
      title: '月度质检',
      menu: '督导',
      icon: DocumentChecked,
      order: 8,
      permissions: ['quality.view'],
      help: [{ heading: '口径', text: '按业务办理的月份统计；平均分只计已评分的质检单，有申诉的按复核后的分数。' }],
    },
  },
  {
    path: 'quality/settings',
    name: 'quality-settings',
    component: () => import('./SettingsPage.vue'),
    meta: { title: '质检设置', menu: '督导', icon: DocumentChecked, order: 9, permissions: ['quality.view'] },
  },
] satisfies FeatureRoute[]
