import { DataAnalysis, List, PriceTag, Shop, Stamp } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

const privacy = {
  heading: '报价谁看得到',
  text: '报价内容只有发布企业和报价机构看得到；运营人员看到谁在什么时候报过价，看不到价格和说明。需求大厅不显示报价数和邀请数。',
}

export default [
  {
    path: 'demand-reviews',
    name: 'demand-reviews',
    component: () => import('./DemandList.vue'),
    props: { review: true },
    meta: {
      title: '需求审核',
      menu: '申请',
      icon: Stamp,
      order: 8,
      permissions: ['demand.review'],
      help: [
        {
          heading: '审核通过后',
          text: '需求进入需求大厅，系统邀请有同类上架产品、且产品要求与企业不冲突的机构报价，每家机构通知一次。审核时可以取消个别机构的邀请。',
        },
        { heading: '审核时限', text: '2 个工作日，超时提醒一次。不能审核本人发布的需求。' },
        privacy,
      ],
    },
  },
  {
    path: 'demands',
    name: 'demands',
    component: () => import('./DemandList.vue'),
    meta: { title: '需求列表', menu: '申请', icon: List, order: 9, permissions: ['demand.view'], help: [privacy] },
  },
  {
    path: 'demands/stats',
    name: 'demand-stats',
    component: () => import('./StatsPage.vue'),
    meta: { title: '需求统计', menu: '申请', icon: DataAnalysis, order: 10, permissions: ['demand.view'] },
  },
  {
    path: 'demand-hall',
    name: 'demand-hall',
    component: () => import('./HallPage.vue'),
    meta: {
      title: '需求大厅',
      menu: '机构',
      icon: Shop,
      order: 6,
      permissions: ['demand.quote'],
      help: [
        {
          heading: '怎样报价',
          text: '选择本机构一个已上架的同类产品报价。企业选定之前可以修改或撤回；选定后自动生成申请，在“申请”中受理。',
        },
        privacy,
      ],
    },
  },
  {
    path: 'my-quotes',
    name: 'my-quotes',
    component: () => import('./QuoteList.vue'),
    meta: { title: '我的报价', menu: '机构', icon: PriceTag, order: 7, permissions: ['demand.quote'] },
  },
] satisfies FeatureRoute[]
