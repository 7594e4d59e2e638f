import { Setting } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'system/users',
    name: 'users',
    component: () => import('./UserList.vue'),
    meta: {
      title: '账号',
      menu: '系统',
      icon: Setting,
      order: 1,
      permissions: ['identity.users'],
      help: [
        {
          heading: '谁的账号',
          text: '工作人员的账号在这里新建、修改、停用；企业的账号由本人注册和管理，这里只能停用、启用、解锁和结束登录。',
        },
        { heading: '初始密码', text: '新建账号和重置密码后，密码只显示一次；本人首次登录须先修改密码。' },
        { heading: '自己的账号', text: '不能办理自己的账号，请由其他系统管理员办理；修改密码请到右上角“我的账号”。' },
      ],
    },
  },
  {
    path: 'system/roles',
    name: 'roles',
    component: () => import('./RoleList.vue'),
    meta: {
      title: '角色',
      menu: '系统',
      icon: Setting,
      order: 2,
      permissions: ['identity.roles'],
      help: [
        { heading: '何时生效', text: '保存后，担任该角色的人员从下一次操作起按新的权限办理，不需要重新登录。' },
        {
          heading: '三员分立',
          text: '“管理账号”“编辑角色”“查看审计日志”分属系统、安全、审计三类管理员，不能合在一个角色里，也不能由同一人兼任。',
        },
        { heading: '自己的角色', text: '不能修改自己担任的角色，请由其他安全管理员办理。' },
      ],
    },
  },
  {
    path: 'system/audit',
    name: 'audit',
    component: () => import('./AuditList.vue'),
    meta: {
      title: '审计日志',
      menu: '系统',
      icon: Setting,
      order: 3,
      permissions: ['audit.view'],
      help: [
        { heading: '记录什么', text: '登录、办理、查看和修改等操作，与操作本身同时保存，任何人不能修改或删除。' },
        {
          heading: '封存与校验',
          text: '日志每秒封存一次，逐条相扣。要核对日志是否被改动，请运维人员在服务器上执行 huiqi audit verify。',
        },
        { heading: '查询也会留痕', text: '每次查询和查看详情都会记入审计日志。' },
      ],
    },
  },
] satisfies FeatureRoute[]
