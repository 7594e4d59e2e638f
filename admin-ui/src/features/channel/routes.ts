import { DataAnalysis, Promotion, Timer } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'channels',
    name: 'channels',
    component: () => import('./ChannelList.vue'),
    meta: {
      title: '推广渠道',
      menu: '推广',
      icon: Promotion,
      order: 1,
      permissions: ['channel.view'],
      help: [
        {
          heading: '怎样归因',
          text: '企业打开渠道的短链接或二维码后，在归因规则的天数内注册、提交申请的，计入最近一次打开的渠道，写入后不再变动。停用或到期的渠道不再计数，链接仍可打开首页。',
        },
        {
          heading: '怎样计访问',
          text: '同一访客一天内多次打开同一渠道只计一次，搜索引擎等程序不计。不记录访客的手机号、地址等个人信息。',
        },
      ],
    },
  },
  {
    path: 'channels/stats',
    name: 'channel-stats',
    component: () => import('./StatsPage.vue'),
    meta: { title: '渠道统计', menu: '推广', icon: DataAnalysis, order: 2, permissions: ['channel.view'] },
  },
  {
    path: 'channels/rule',
    name: 'channel-rule',
    component: () => import('./RulePage.vue'),
    meta: { title: '归因规则', menu: '推广', icon: Timer, order: 3, permissions: ['channel.manage'] },
  },
  {
    path: 'channels/print',
    name: 'channel-print',
    component: () => import('./PrintPage.vue'),
    meta: { title: '打印二维码', parent: 'channels', permissions: ['channel.view'] },
  },
] satisfies FeatureRoute[]
