import { Collection, EditPen } from '@element-plus/icons-vue'
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
          text: '“可比对”的政策已把申报条件整理成数据，系统逐项判定；“需人工判定”的政策由企业对照原文或咨询主管部门。',
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
  {
    path: 'policy-drafts',
    name: 'policy-drafts',
    component: () => import('./WaitingList.vue'),
    meta: { title: '政策稿件', menu: '政策', icon: EditPen, order: 2, permissions: ['policy.edit', 'policy.publish'] },
  },
  {
    path: 'policies/:id(\\d+)/edit',
    name: 'policy-edit',
    component: () => import('./PolicyEdit.vue'),
    meta: {
      title: '编辑政策',
      parent: 'policies',
      permissions: ['policy.edit', 'policy.publish'],
      help: [
        {
          heading: '保存和发布',
          text: '填写的内容随时自动保存为稿件，不影响已发布的内容。提交审核后，由最后编辑人和提交人以外的审核人员发布。两个人同时修改时，不同的地方自动合并，相同的地方请选择保留哪一份。',
        },
        {
          heading: '申报条件',
          text: '每条条件从正文中选取一句话作为依据；正文改动后找不到这句话会标出。数据不能判断的内容标为“需人工判定”。单位按字段固定，人数与金额不能相比。',
        },
        {
          heading: '示例企业',
          text: '示例企业写明应有的判定结果，判定不同时不能提交和发布。',
        },
      ],
    },
  },
] satisfies FeatureRoute[]
