import { createRouter, createWebHistory } from 'vue-router'

import { setSignedOutHandler } from '@/api/client'
import { arrive } from '@/features/channel/visit'
import { askWeChat } from '@/features/identity/wechat'
import { useSession } from '@/stores/session'

import { returnPath } from './return'
import { routes } from './routes'

export const router = createRouter({
  history: createWebHistory('/m/'),
  routes: [
    ...routes,
    {
      path: '/:missing(.*)*',
      name: 'missing',
      component: () => import('@/layouts/MissingPage.vue'),
      meta: { title: '页面不存在' },
    },
  ],
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? undefined : { top: 0 }),
})

router.beforeEach(async (to) => {
  // A browser carries the mark of WeChat's sign-in page on through every redirect.
  if (to.hash === '#wechat_redirect') return { path: to.path, query: to.query, replace: true }
  const elsewhere = arrive(to)
  if (elsewhere) return elsewhere
  if (!to.meta.auth && !to.meta.guest && to.path !== '/') return true
  const session = useSession()
  await session.load()
  if (!session.ready) return true // the layout says so and offers to try again
  if (askWeChat(to)) return false
  if (to.meta.auth && !session.signedIn) return { name: 'login', query: { return: to.fullPath } }
  if (to.meta.guest && session.signedIn) return returnPath(to.query.return)
  return true
})

router.afterEach((to) => {
  document.title = `${to.meta.title} - 惠企台`
})

setSignedOutHandler(() => {
  useSession().reset()
  const here = router.currentRoute.value
  if (here.name !== 'login') void router.push({ name: 'login', query: { return: here.fullPath } })
})
