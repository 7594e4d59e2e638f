import { router } from '@/router'
import type { Command } from '@/router/feature'

export default [
  {
    id: 'account',
    title: '我的账号',
    group: '账号',
    keywords: 'password 密码 登录设备',
    run: () => void router.push({ name: 'account' }),
  },
] satisfies Command[]
