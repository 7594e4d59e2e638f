import { InfoFilled } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'system/ticket-hints',
    name: 'ticket-hints',
    component: () => import('./HintPage.vue'),
    meta: {
      title: '办理提示',
      menu: '系统',
      icon: InfoFilled,
      order: 10,
      permissions: ['ticket.types'],
      help: [
        {
          heading: '提示显示在哪里',
          text: '工作人员的提示显示在该操作的窗口里；诉求人的提示显示在门户、手机端和短信评价页，状态提示随工单状态变化。',
        },
        {
          heading: '生效和撤回',
          text: '保存后下次打开该步骤时生效，已打开的窗口不变；清空全部内容即不再显示。每次修改都记入审计日志。',
        },
        {
          heading: '图片和链接',
          text: '图片须写明内容，供使用读屏软件的人了解；链接只能是本站地址或 https:// 开头的地址。',
        },
      ],
    },
  },
] satisfies FeatureRoute[]
