import { ChatLineSquare, InfoFilled, UserFilled } from '@element-plus/icons-vue'
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
    path: 'system/review-hints',
    name: 'review-hints',
    component: () => import('./HintPage.vue'),
    meta: {
      title: '审核提示',
      menu: '系统',
      icon: InfoFilled,
      order: 60,
      permissions: ['review.reasons'],
      help: [
        {
          heading: '提示显示在哪里',
          text: '审核人员的提示显示在审核、退回和撤销的窗口里；提交方的提示显示在填写产品、入驻申请、证照的地方，以及等待审核期间。',
        },
        {
          heading: '生效和撤回',
          text: '保存后下次打开该步骤时生效；清空全部内容即不再显示。每次修改都记入审计日志。',
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
