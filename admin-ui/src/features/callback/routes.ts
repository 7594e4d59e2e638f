import { PhoneFilled } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'callbacks',
    name: 'callbacks',
    component: () => import('./CallbackPage.vue'),
    meta: {
      title: '回访',
      menu: '回访',
      icon: PhoneFilled,
      order: 1,
      permissions: ['ticket.close'],
      help: [
        {
          heading: '用键盘回访',
          text: '按 L 领取下一个；Q、W、E、R 选择结果，1 至 5 选择满意程度，Y、N 选择是否解决，Ctrl+Enter 登记并领取下一个。',
        },
        {
          heading: '谁的评价算回访',
          text: '企业在门户或手机端先作了评价的，评价即为回访结果：满意的办结，不满意的退回重办。语音回访的结果同样计入。',
        },
        {
          heading: '没有接通',
          text: '按规定的间隔再次回访；达到次数后移入“多次未接通”，由定时规则办结，考核时不计入满意率。',
        },
      ],
    },
  },
] satisfies FeatureRoute[]
