import { Document } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'applications',
    name: 'applications',
    component: () => import('./ApplicationList.vue'),
    meta: {
      title: '申请列表',
      menu: '申请',
      icon: Document,
      order: 1,
      permissions: ['application.view'],
      help: [
        {
          heading: '能看到哪些申请',
          text: '机构看到本机构产品的申请；平台运营和政府审核人员看到全区的申请，联系人和电话隐去。',
        },
        {
          heading: '办理顺序',
          text: '企业提交后 48 小时内受理或说明不予受理的原因。贷款申请受理后尽职调查、登记审批结果和放款；其他服务登记进展后办结。材料不全时要求补正，企业补充后继续。',
        },
        { heading: '联系企业', text: '电话默认隐去，点“查看号码”显示，每次查看都会记录。' },
        { heading: '批量办理', text: '勾选待受理的申请可以一起受理或不予受理，每件的结果分别列出。' },
      ],
    },
  },
  {
    path: 'applications/:id(\\d+)',
    name: 'application',
    component: () => import('./ApplicationPage.vue'),
    meta: { title: '申请详情', parent: 'applications', permissions: ['application.view'] },
  },
] satisfies FeatureRoute[]
