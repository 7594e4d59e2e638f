import { Setting } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'system/backups',
    name: 'backups',
    component: () => import('./BackupList.vue'),
    meta: {
      title: '备份',
      menu: '系统',
      icon: Setting,
      order: 7,
      permissions: ['backup.view'],
      help: [
        {
          heading: '怎样算备份成功',
          text: '每次备份加密保存后，自动恢复到临时位置并与原数据逐行比对，一致的才算验证通过；之后清理过期的旧备份。',
        },
        {
          heading: '取用和恢复',
          text: '备份不能从网页下载。恢复须由运维人员在服务器上使用另行保管的私钥，按《备份与恢复》手册办理。',
        },
      ],
    },
  },
] satisfies FeatureRoute[]
