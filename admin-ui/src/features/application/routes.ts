import { AlarmClock, DataLine, Document, InfoFilled } from '@element-plus/icons-vue'
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
          text: '企业提交后在受理时限内（工作日计算）受理或说明不予受理的原因，受理后在办理时限内办出结果；快到期和超时都会提醒。贷款申请受理后尽职调查、登记审批结果和放款；其他服务登记进展后办结。材料不全时要求补正，企业补充后继续。',
        },
        { heading: '联系企业', text: '电话默认隐去，点“查看号码”显示，每次查看都会记录。' },
        { heading: '批量办理', text: '勾选申请后批量受理或不予受理：先逐件预检，能办的再办，每件的结果分别列出。' },
      ],
    },
  },
  {
    path: 'applications/:id(\\d+)',
    name: 'application',
    component: () => import('./ApplicationPage.vue'),
    meta: { title: '申请详情', parent: 'applications', permissions: ['application.view'] },
  },
  {
    path: 'application-results',
    name: 'application-results',
    component: () => import('./ResultPage.vue'),
    meta: {
      title: '申请成果统计',
      menu: '报表',
      icon: DataLine,
      order: 3,
      permissions: ['application.results'],
      help: [
        {
          heading: '统计口径',
          text: '按提交月份归集，机构只看到本机构的。一件申请分几笔放款的，放款户数计一次，金额计累计放款。',
        },
      ],
    },
  },
  {
    path: 'system/application-hints',
    name: 'application-hints',
    component: () => import('./HintPage.vue'),
    meta: {
      title: '申请办理提示',
      menu: '系统',
      icon: InfoFilled,
      order: 62,
      permissions: ['application.limits'],
      help: [
        {
          heading: '提示显示在哪里',
          text: '机构经办人的提示显示在办理窗口里；企业的提示显示在申请表和申请进度中，状态提示随申请状态变化。',
        },
        {
          heading: '按产品类别设置',
          text: '先设各类产品通用的提示，再为个别类别设置不同的提示；清空某类产品的提示后，恢复显示通用的提示。',
        },
      ],
    },
  },
  {
    path: 'system/application-limits',
    name: 'application-limits',
    component: () => import('./LimitPage.vue'),
    meta: {
      title: '申请时限',
      menu: '系统',
      icon: AlarmClock,
      order: 61,
      permissions: ['application.limits'],
      help: [
        {
          heading: '时限怎样计算',
          text: '按工作日历的工作日计算，要求企业补充材料期间暂停。快到期时提醒经办人，超时同时通知机构、平台运营、政府审核人员和企业。',
        },
      ],
    },
  },
] satisfies FeatureRoute[]
