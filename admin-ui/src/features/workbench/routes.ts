import { Monitor } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: '',
    name: 'workbench',
    component: () => import('./Workbench.vue'),
    meta: {
      title: '工作台',
      menu: '工作台',
      icon: Monitor,
      order: 1,
      help: [
        {
          heading: '这里显示什么',
          text: '等您处理的事项，按截止时间从近到远排列。每张卡片对应一类业务，只显示您有权办理的；右侧是您可以打开的页面。',
        },
        { heading: '快速前往', text: '在任意页面按 Ctrl K，输入页面或操作的名称，回车即可打开。' },
        { heading: '键盘操作', text: '列表页按 J、K 上下移动，回车打开，Esc 关闭侧栏；按 ? 查看本页全部快捷键。' },
      ],
    },
  },
] satisfies FeatureRoute[]
