import { ChatLineSquare, UserFilled } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'
import { delegating } from './delegation'

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
  {
    path: 'review-delegations',
    name: 'review-delegations',
    component: () => import('./DelegationPage.vue'),
    meta: {
      title: '委托审核',
      menu: '系统',
      icon: UserFilled,
      order: 61,
      permissions: delegating,
      help: [
        {
          heading: '怎样委托',
          text: '离岗前选择审核事项、受托的同事和起止日期。受托人须能查看所委托的事项；期间待审核的事项会出现在受托人的审核列表中，并由系统通知。',
        },
        {
          heading: '哪些不能委托',
          text: '同一事项同一时间只能委托一人；受托人不能再转委托，也不能同时受两人委托办理同一事项。初审和终审仍须由不同的人办理，委托人和受托人视为同一人。',
        },
      ],
    },
  },
] satisfies FeatureRoute[]
