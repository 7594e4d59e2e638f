// Test helper: runs a composable inside a component on a route, as a page does.
import { mount, type VueWrapper } from '@vue/test-utils'
import { defineComponent, h } from 'vue'
import { createMemoryHistory, createRouter, RouterView, type Router } from 'vue-router'

export interface Mounted<R> {
  result: () => R
  router: Router
  wrapper: VueWrapper
}

export async function mounted<R>(use: () => R, at = '/list'): Promise<Mounted<R>> {
  let result: R | undefined
  const Page = defineComponent({
    setup() {
      result = use()
      return () => h('div')
    },
  })
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/list', name: 'list', component: Page },
      { path: '/other', name: 'other', component: { render: () => h('p') } },
    ],
  })
  await router.push(at)
  const wrapper = mount(RouterView, { global: { plugins: [router] }, attachTo: document.body })
  return { result: () => result as R, router, wrapper }
}
