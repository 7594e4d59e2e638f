import { Collection } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'policies',
    name: 'policies',
    component: () => import('./PolicyList.vue'),
    meta: {
      title: '政策库',
      menu: '政策',
      icon: Collection,
      order: 1,
      permissions: ['policy.view'],
      help: [
        {
          heading: '政策状态',
          text: '未发布的政策只在后台可见；现行有效的政策在门户和手机端公开，并参与政策匹配；有效期届满或废止后自动退出公开库和匹配。',
        },
        {
          heading: '申报条件',
          text: '“可比对”的政策已把申报条件整理成数据，系统逐项判定；“需人工判断”的政策由企业对照原文或咨询主管部门。',
        },
      ],
    },
  },
  {
    path: 'policies/:id(\\d+)',
    name: 'policy',
    component: () => import('./PolicyPage.vue'),
    meta: { title: '政策详情', parent: 'policies', permissions: ['policy.view'] },
  },
] satisfies FeatureRoute[]
