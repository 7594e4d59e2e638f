import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { useSession } from '@/stores/session'
import type { FeatureRoute } from './feature'

const found = import.meta.glob<FeatureRoute[]>('../features/*/routes.ts', { eager: true, import: 'default' })

/** Every route of every feature, the source of the menu and of the command palette. */
export const featureRoutes: RouteRecordRaw[] = Object.values(found).flat()

export const router = createRouter({
  history: createWebHistory('/admin/'),
  routes: [
    {
      path: '/login',
      name: 'login',
      component: () => import('@/features/identity/Login.vue'),
      meta: { title: '登录', public: true },
    },
    {
      path: '/',
      component: () => import('@/layouts/Shell.vue'),
      children: [
        ...featureRoutes,
        {
          path: ':rest(.*)*',
          name: 'not-found',
          component: () => import('@/pages/NotFound.vue'),
          meta: { title: '没有找到页面' },
        },
      ],
    },
  ],
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
})

/** Where to go after signing in: a page of this back office, never another site. */
export function safeReturn(value: unknown): string {
  if (typeof value !== 'string' || !/^\/(?![/\\])/.test(value) || value.startsWith('/login')) return '/'
  return value
}

router.beforeEach(async (to) => {
  const session = useSession()
  if (session.current === null) {
    // Without an answer the page shows its own error state; the shell offers to retry.
    await session.load().catch(() => undefined)
  }
  if (to.meta.public) return session.staff && to.name === 'login' ? safeReturn(to.query['return']) : true
  if (session.current !== null && !session.signedIn) return { name: 'login', query: { return: to.fullPath } }
  // Until the password is one's own nothing else can be done.
  if (session.current?.mustChange && to.name !== 'account') return { name: 'account' }
  return true
})

router.afterEach((to) => {
  const district = useSession().district
  document.title = [to.meta.title, `${district}惠企台工作后台`].filter(Boolean).join(' · ')
})
