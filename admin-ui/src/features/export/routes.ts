import { Download } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

/** Any one of these makes "我的导出" worth a place in the menu. */
export const exportPermissions = [
  'ticket.export',
  'application.export',
  'product.export',
  'enterprise.export',
  'audit.export',
  'message.export',
  'exchange.export',
  'directory.view',
]

export default [
  {
    path: 'exports',
    name: 'exports',
    component: () => import('./ExportList.vue'),
    meta: {
      title: '我的导出',
      menu: '工作台',
      icon: Download,
      order: 20,
      permissions: exportPermissions,
      help: [
        {
          heading: '怎样导出',
          text: '在列表页筛选后点“导出”，选择列、填写用途。生成期间可以离开页面，完成后到这里下载。',
        },
        { heading: '谁能下载', text: '只有申请人本人可以下载。文件到期自动删除，需要时可以重新导出。' },
        { heading: '留痕', text: '导出和每次下载都记入审计日志；文件首行写有姓名、单位、时间和用途。' },
      ],
    },
  },
] satisfies FeatureRoute[]
