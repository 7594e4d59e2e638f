import { Connection, Promotion } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'exchange/partners',
    name: 'exchange-partners',
    component: () => import('./PartnerList.vue'),
    meta: {
      title: '对接方',
      menu: '数据回流',
      icon: Connection,
      order: 1,
      permissions: ['exchange.view'],
      help: [
        {
          heading: '事件如何到达对接方',
          text: '业务办理的每一步形成一个事件。系统按对接方选择的事件和字段生成内容，签名后推送；同一工单的事件按先后顺序推送，前一件未送达时后一件等待，不同工单互不影响。',
        },
        {
          heading: '推送失败怎么办',
          text: '系统自动重试，间隔逐步拉长，最长 24 小时。对方认为内容不合格或连续 24 小时未送达的，推送停止，需在推送记录中写明原因后重推或跳过。',
        },
        { heading: '暂停期间的事件', text: '暂停推送后，事件继续保存；恢复推送后按顺序补推，不会遗漏。' },
      ],
    },
  },
  {
    path: 'exchange/partners/new',
    name: 'exchange-partner-new',
    component: () => import('./PartnerForm.vue'),
    meta: { title: '新增对接方', parent: 'exchange-partners', permissions: ['exchange.manage'] },
  },
  {
    path: 'exchange/partners/:id(\\d+)/edit',
    name: 'exchange-partner-edit',
    component: () => import('./PartnerForm.vue'),
    meta: { title: '修改对接方', parent: 'exchange-partners', permissions: ['exchange.manage'] },
  },
  {
    path: 'exchange/partners/:id(\\d+)',
    name: 'exchange-partner',
    component: () => import('./PartnerPage.vue'),
    meta: { title: '对接方详情', parent: 'exchange-partners', permissions: ['exchange.view'] },
  },
  {
    path: 'exchange/deliveries',
    name: 'exchange-deliveries',
    component: () => import('./DeliveryList.vue'),
    meta: {
      title: '推送记录',
      menu: '数据回流',
      icon: Promotion,
      order: 2,
      permissions: ['exchange.view'],
      help: [
        {
          heading: '重推和跳过',
          text: '重推使用原编号和原内容，对方可据编号识别重复。跳过后，该事件不再推送给这一对接方，同一工单后面的事件继续推送。两项操作均须写明原因，并记入审计日志。',
        },
      ],
    },
  },
  {
    path: 'exchange/deliveries/:id(\\d+)',
    name: 'exchange-delivery',
    component: () => import('./DeliveryPage.vue'),
    meta: { title: '推送详情', parent: 'exchange-deliveries', permissions: ['exchange.view'] },
  },
] satisfies FeatureRoute[]
