import { Guide } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'system/directory',
    name: 'directory',
    component: () => import('./DirectoryPage.vue'),
    meta: {
      title: '派单目录',
      menu: '系统',
      icon: Guide,
      order: 6,
      permissions: ['directory.view', 'directory.manage'],
      help: [
        {
          heading: '派单时怎样使用',
          text: '先找该事项在该街道、乡镇的条目，没有的用全区条目，再没有的用上级事项的条目；都没有时给出近 90 天此类工单派往且未退回的单位，仅供参考。',
        },
        {
          heading: '调整目录',
          text: '每次调整产生新版本，从生效日期起有效，原版本保留，以往的派单可以解释。生效日期不能早于今天；尚未生效的可以撤回。',
        },
        { heading: '批量调整', text: '先导出，在表格中修改后导入，选择“更新已有记录”。与现行版本相同的行自动跳过。' },
      ],
    },
  },
] satisfies FeatureRoute[]
