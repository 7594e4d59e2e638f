import { Calendar } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'system/calendar',
    name: 'calendar',
    component: () => import('./CalendarPage.vue'),
    meta: {
      title: '工作日历',
      menu: '系统',
      icon: Calendar,
      order: 8,
      permissions: ['calendar.view'],
      help: [
        {
          heading: '工作日怎样计算',
          text: '收到当日不计入，自下一个工作日起算，最后一个工作日下班时截止；挂起期间不计时，放假的日子不计，调休上班的日子计入。',
        },
        {
          heading: '修改和发布',
          text: '先建草稿，点击日期设置放假或调休上班，预览会变更哪些在办工单的时限，再发布。发布后的版本保留，以前的时限仍可按当时的日历说明。',
        },
      ],
    },
  },
] satisfies FeatureRoute[]
