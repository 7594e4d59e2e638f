import { Setting } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

const permissions = ['operations.view']

export default [
  {
    path: 'system/health',
    name: 'health',
    component: () => import('./HealthPage.vue'),
    meta: {
      title: '系统健康',
      menu: '系统',
      icon: Setting,
      order: 4,
      permissions,
      help: [
        {
          heading: '怎样巡检',
          text: '系统每 15 秒逐项检查，按阈值分为正常、注意、异常。转为异常时，一分钟内以站内消息和短信通知值班人员；恢复正常一分钟后再通知一次。',
        },
        {
          heading: '登记已知悉',
          text: '值班人员登记已知悉并写明处理打算后，同一异常不再重复提醒，恢复时仍会通知。没有人登记的，按配置的间隔重复提醒。',
        },
        { heading: '阈值', text: '有运行维护管理权限的人员可以调整阈值，下一次巡检起生效，记入审计日志。' },
      ],
    },
  },
  {
    path: 'system/incidents',
    name: 'incidents',
    component: () => import('./IncidentList.vue'),
    meta: { title: '异常事件', parent: 'health', permissions },
  },
  {
    path: 'system/tasks',
    name: 'tasks',
    component: () => import('./TaskList.vue'),
    meta: {
      title: '定时任务',
      menu: '系统',
      icon: Setting,
      order: 5,
      permissions,
      help: [
        { heading: '失败后', text: '按时间点执行的任务失败后，隔 1、5、15 分钟自动重试；按间隔执行的任务等下一次。' },
        {
          heading: '暂停',
          text: '暂停后不再按计划执行，仍可立即执行；恢复后从下一次计划开始，暂停期间的不补。备份、巡检等任务请勿长期暂停。',
        },
      ],
    },
  },
  {
    path: 'system/task-runs',
    name: 'task-runs',
    component: () => import('./RunList.vue'),
    meta: { title: '执行记录', parent: 'tasks', permissions },
  },
  {
    path: 'system/queues',
    name: 'queues',
    component: () => import('./QueuePage.vue'),
    meta: {
      title: '后台队列',
      menu: '系统',
      icon: Setting,
      order: 6,
      permissions,
      help: [
        {
          heading: '后台工作',
          text: '短信、推送、查毒等在业务提交后由后台完成，失败后自动重试，间隔逐步拉长；多次失败后停止，需人工重试或放弃。',
        },
        { heading: '放弃', text: '放弃后这项工作不再执行，请先确认业务上已不需要或已另行处理，并写明原因。' },
      ],
    },
  },
  {
    path: 'system/jobs',
    name: 'failed-jobs',
    component: () => import('./JobList.vue'),
    meta: { title: '未成功的工作', parent: 'queues', permissions },
  },
  {
    path: 'system/reports',
    name: 'health-reports',
    component: () => import('./ReportList.vue'),
    meta: { title: '健康状态报告', menu: '系统', icon: Setting, order: 8, permissions },
  },
  {
    path: 'system/reports/:id(\\d+)',
    name: 'health-report',
    component: () => import('./ReportPage.vue'),
    meta: { title: '系统健康状态报告', parent: 'health-reports', permissions },
  },
] satisfies FeatureRoute[]
