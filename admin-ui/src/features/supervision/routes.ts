import { Monitor } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'supervision/wallboard',
    name: 'wallboard',
    component: () => import('./WallboardPage.vue'),
    meta: {
      title: '督导大屏',
      menu: '督导',
      icon: Monitor,
      order: 1,
      permissions: ['supervision.view'],
      help: [
        {
          heading: '接通率',
          text: '接通的来电 ÷（接通＋无人接听即结束的来电）。国家标准 GB/T 33358-2016 要求不低于 95%，15 秒内接听。',
        },
        { heading: '投屏', text: '点右上角全屏图标投到大屏，数据自动更新。' },
      ],
    },
  },
  {
    path: 'supervision/seats',
    name: 'seats',
    component: () => import('./SeatsPage.vue'),
    meta: {
      title: '坐席状态',
      menu: '督导',
      icon: Monitor,
      order: 2,
      permissions: ['seat.view'],
      help: [{ heading: '离线', text: '坐席页面关闭或断网 90 秒后自动转为离线，时长计到最后一次在线。' }],
    },
  },
  {
    path: 'supervision/shifts',
    name: 'shifts',
    component: () => import('./ShiftsPage.vue'),
    meta: {
      title: '排班',
      menu: '督导',
      icon: Monitor,
      order: 3,
      permissions: ['seat.view', 'seat.sit'],
    },
  },
  {
    path: 'supervision/teams',
    name: 'teams',
    component: () => import('./TeamsPage.vue'),
    meta: {
      title: '班组',
      menu: '督导',
      icon: Monitor,
      order: 3.1,
      permissions: ['seat.view'],
      help: [{ heading: '一人一组', text: '把人加入新班组后，会自动离开原来的班组。排班按班组安排，按人数核对缺口。' }],
    },
  },
  {
    path: 'supervision/hours',
    name: 'desk-hours',
    component: () => import('./HoursPage.vue'),
    meta: {
      title: '热线服务时间',
      menu: '督导',
      icon: Monitor,
      order: 3.2,
      permissions: ['seat.view'],
      help: [{ heading: '用在哪里', text: '排班页按这里的时间和人数提示缺口；人数填 0 表示当天不开放。' }],
    },
  },
  {
    path: 'supervision/extensions',
    name: 'extensions',
    component: () => import('./ExtensionsPage.vue'),
    meta: {
      title: '坐席分机',
      menu: '督导',
      icon: Monitor,
      order: 3.3,
      permissions: ['cti.manage'],
      help: [{ heading: '分机', text: '话务平台用分机号说明是谁的话机在响铃；来电只弹给这部分机的使用人。' }],
    },
  },
  {
    path: 'supervision/alarms',
    name: 'surge-alarms',
    component: () => import('./AlarmList.vue'),
    meta: {
      title: '突增预警',
      menu: '督导',
      icon: Monitor,
      order: 4,
      permissions: ['supervision.view'],
    },
  },
  {
    path: 'supervision/surge-rule',
    name: 'surge-rule',
    component: () => import('./SurgeRulePage.vue'),
    meta: { title: '突增预警规则', parent: 'surge-alarms', permissions: ['supervision.view'] },
  },
  {
    path: 'supervision/nuisance',
    name: 'nuisance',
    component: () => import('./NuisancePage.vue'),
    meta: {
      title: '骚扰来电名单',
      menu: '督导',
      icon: Monitor,
      order: 5,
      permissions: ['cti.manage'],
    },
  },
  {
    path: 'supervision/reports',
    name: 'desk-reports',
    component: () => import('./ReportList.vue'),
    meta: {
      title: '热线运行报告',
      menu: '督导',
      icon: Monitor,
      order: 6,
      permissions: ['supervision.view'],
    },
  },
  {
    path: 'supervision/reports/:id',
    name: 'desk-report',
    component: () => import('./ReportPage.vue'),
    meta: { title: '热线运行报告', parent: 'desk-reports', permissions: ['supervision.view'] },
  },
  {
    path: 'system/reveals',
    name: 'reveals',
    component: () => import('./RevealList.vue'),
    meta: { title: '号码查看记录', menu: '系统', icon: Monitor, order: 20, permissions: ['ticket.reveals'] },
  },
] satisfies FeatureRoute[]
