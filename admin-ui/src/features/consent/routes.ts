import { DocumentChecked, Tickets } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'consents',
    name: 'consents',
    component: () => import('./GrantList.vue'),
    meta: {
      title: '数据授权',
      menu: '企业',
      icon: DocumentChecked,
      order: 4,
      permissions: ['consent.view'],
      help: [
        {
          heading: '授权有什么作用',
          text: '查看企业的登记信息、经营情况和资质，须有企业授权，或选用本人角色适用的依据。每次查阅（含被拒绝的）都有记录，企业可以看到。',
        },
        { heading: '在哪里看查阅记录', text: '在企业详情的“数据授权”中查看该企业的授权和查阅记录。' },
      ],
    },
  },
  {
    path: 'consent-texts',
    name: 'consent-texts',
    component: () => import('./TextPage.vue'),
    meta: {
      title: '授权书与依据',
      menu: '企业',
      icon: Tickets,
      order: 5,
      permissions: ['consent.view', 'consent.edit', 'consent.publish'],
      help: [
        {
          heading: '发布新版本',
          text: '起草后由另一人核对发布，发布后不能再改。新版本如为实质性变更，生效时旧版本的授权失效；否则旧授权继续有效。两种情况都会请企业重新授权。',
        },
        {
          heading: '查阅依据',
          text: '依据按角色设定，写明所依据的规定、用途和数据范围。使用依据查阅时以查阅人所选的依据记录。',
        },
      ],
    },
  },
] satisfies FeatureRoute[]
