import type { RouteLocationNormalized, RouteRecordRaw } from 'vue-router'

import { wechatAuthorizeUrl } from '@/api/identity'
import { useSession } from '@/stores/session'

import { insideWeChat, leave } from './wechat'

/**
 * In WeChat the server first learns which WeChat account holds the phone, so that registering binds it. The mark in
 * the address makes this happen once: whoever comes back without consent registers all the same.
 */
export function askWeChatFirst(to: RouteLocationNormalized): boolean {
  if (!insideWeChat() || to.query.wechat || !useSession().wechat) return true
  const back = new URLSearchParams({ wechat: 'asked' })
  if (typeof to.query.return === 'string') back.set('return', to.query.return)
  leave.to(wechatAuthorizeUrl(`/m/register?${back}`))
  return false
}

export default [
  {
    path: '/login',
    name: 'login',
    component: () => import('./LoginPage.vue'),
    meta: { title: '登录', guest: true },
  },
  {
    path: '/register',
    name: 'register',
    component: () => import('./RegisterPage.vue'),
    beforeEnter: askWeChatFirst,
    // Kept, so that reading the privacy notice loses neither the code nor the countdown.
    meta: { title: '企业注册', guest: true, keep: true },
  },
  {
    path: '/privacy',
    name: 'privacy',
    component: () => import('./PrivacyPage.vue'),
    meta: { title: '隐私说明' },
  },
] satisfies RouteRecordRaw[]
