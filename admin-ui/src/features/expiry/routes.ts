import { AlarmClock, Back } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'system/timed-closing',
    name: 'timed-closing',
    component: () => import('./ExpiryPage.vue'),
    meta: {
      title: '定时处理',
      menu: '系统',
      icon: AlarmClock,
      order: 11,
      permissions: ['ticket.expire'],
      help: [
        {
          heading: '什么时候处理',
          text: '每 10 分钟检查一次。工单在某一状态停留到规定的工作日数、没有任何进展时处理，每件只处理一次，办理记录里写明规则和版本。',
        },
        {
          heading: '处理错了',
          text: '在工单上撤销上一步：本级负责人当天可以撤销，办结的由督办人员撤销；撤销后重新计时。',
        },
      ],
    },
  },
  {
    path: 'ticket-returns',
    name: 'ticket-returns',
    component: () => import('./ReturnsPage.vue'),
    meta: { title: '退单统计', menu: '报表', icon: Back, order: 3, permissions: ['ticket.decide'] },
  },
  {
    path: 'tickets/:id(\\d+)/letter',
    name: 'ticket-letter',
    component: () => import('./LetterPage.vue'),
    meta: { title: '督办文书', parent: 'tickets', permissions: ['ticket.view'] },
  },
] satisfies FeatureRoute[]
