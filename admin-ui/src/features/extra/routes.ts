import { Grid } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'extra-fields',
    name: 'extra-fields',
    component: () => import('./DefinitionPage.vue'),
    meta: {
      title: '产品和申请扩展字段',
      menu: '产品审核',
      icon: Grid,
      order: 9,
      permissions: ['extra.manage'],
      help: [
        {
          heading: '何时生效',
          text: '保存后立即用于新的填写。已提交的产品版本和申请保留当时的字段名称和内容，不随定义改变。',
        },
        { heading: '必填', text: '产品在下次提交审核时检查；申请在提交时检查。由需求洽谈转成的申请不检查必填项。' },
        { heading: '停用', text: '字段不删除，类型和单位不能改变。停用后不再填写，已提交的内容仍可查看。' },
      ],
    },
  },
] satisfies FeatureRoute[]
