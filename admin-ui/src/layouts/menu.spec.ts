import { flushPromises, mount } from '@vue/test-utils'
import { expect, it } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { MenuSection } from '@/router/menu'
import SideMenu from './SideMenu.vue'

const sections = [
  { group: '工作台', entries: [{ name: 'home', title: '工作台' }] },
  {
    group: '工单',
    entries: [
      { name: 'tickets', title: '全部工单' },
      { name: 'inbox', title: '来件箱' },
    ],
  },
  {
    group: '督导',
    entries: [
      { name: 'wallboard', title: '督导大屏' },
      { name: 'seats', title: '坐席状态' },
    ],
  },
] as unknown as MenuSection[]

async function menu(collapsed = false) {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: ['home', 'tickets', 'inbox', 'wallboard', 'seats'].map((name) => ({
      path: `/${name}`,
      name,
      component: page,
    })),
  })
  await router.push('/inbox')
  const wrapper = mount(SideMenu, {
    props: { sections, collapsed },
    global: { plugins: [router] },
    attachTo: document.body,
  })
  await flushPromises()
  const root = wrapper.element as HTMLElement
  const stops = () => [...root.querySelectorAll<HTMLElement>('[tabindex="0"]')].map((e) => e.textContent?.trim())
  const key = async (name: string) => {
    document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true }))
    await flushPromises()
  }
  const here = () => document.activeElement?.textContent?.trim()
  return { wrapper, root, router, stops, key, here }
}

it('is one stop of Tab, at the page that is shown, and goes anywhere by the arrows', async () => {
  const { root, router, stops, key, here } = await menu()
  expect(stops()).toEqual(['来件箱'])
  root.querySelector<HTMLElement>('[tabindex="0"]')!.focus()
  await key('Home')
  expect(here()).toBe('工作台')
  await key('ArrowUp')
  expect(here()).toBe('工作台')
  await key('End')
  expect(here()).toBe('坐席状态')
  expect(stops()).toEqual(['坐席状态'])
  await key('ArrowUp')
  await key('Enter')
  expect(router.currentRoute.value.name).toBe('wallboard')
})

it('closes and opens a group, and passes over what is in a closed one', async () => {
  const { root, key, here, stops } = await menu()
  root.querySelector<HTMLElement>('[tabindex="0"]')!.focus()
  await key('ArrowLeft')
  expect(here()).toContain('工单')
  await key('ArrowLeft')
  await key('ArrowDown')
  expect(here()).toContain('督导')
  await key('ArrowUp')
  await key('ArrowRight')
  await key('ArrowRight')
  expect(here()).toBe('全部工单')
  expect(stops()).toEqual(['全部工单'])
})

it('asks for room when a group of the narrow menu is pressed', async () => {
  const { wrapper, root, key } = await menu(true)
  root.querySelectorAll<HTMLElement>('.el-sub-menu')[0]!.focus()
  await key('Enter')
  expect(wrapper.emitted('expand')).toHaveLength(1)
})
