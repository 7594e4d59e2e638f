import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import { ref } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { Session } from '@/api/identity'
import Watermark from '@/components/Watermark.vue'
import { useSession } from '@/stores/session'
import Shell from './Shell.vue'

// The line to the server is no part of this.
vi.mock('@/composables/useLive', () => ({ useLive: () => undefined, useLiveConnection: () => ({ state: ref('on') }) }))
vi.mock('@/composables/useFresh', () => ({ useFresh: () => undefined }))

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-30T06:05:00Z'), toFake: ['Date', 'setInterval', 'clearInterval'] })
  setActivePinia(createPinia())
})

async function open(path: string, session: object) {
  useSession().set({ csrfToken: 'x', demo: false, permissions: [], ...session } as unknown as Session)
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:page(.*)*', component: { template: '<i/>' }, meta: { title: '页面' } }],
  })
  await router.push(path)
  const wrapper = mount(Shell, {
    shallow: true,
    global: { plugins: [router], stubs: { Watermark: false, RouterView: { template: '<i/>' } } },
    attachTo: document.body,
  })
  await flushPromises()
  return wrapper
}

const agent = {
  signedIn: true,
  user: { id: 7, name: '陈静', party: 'platform', phoneMasked: '199****0001' },
  department: { id: 1, name: '热线中心' },
  permissions: ['ticket.open', 'ticket.view', 'supervision.view'],
}

it.each(['/desk', '/tickets', '/tickets/5', '/tickets/5/letter', '/callbacks', '/supervision/wallboard'])(
  'marks %s with who looks at it, of which organisation, and when',
  async (path) => {
    const wrapper = await open(path, agent)
    const mark = wrapper.getComponent(Watermark)
    expect(mark.get('pattern').text()).toContain('热线中心 陈静 0001 2026年11月30日 14:05')
    // Over everything, in nobody's way, and nothing that is read out.
    expect(mark.get('svg').attributes('aria-hidden')).toBe('true')
    expect(mark.get('rect').attributes()).toMatchObject({ width: '100%', height: '100%', fill: 'url(#hq-mark)' })
    wrapper.unmount()
  },
)

it('shows no page without a mark: who is not known sees nothing of it', async () => {
  const wrapper = await open('/tickets', { signedIn: false })
  expect(wrapper.findComponent({ name: 'RouterView' }).exists()).toBe(false)
  wrapper.unmount()
})

it('begins in the page when another one comes, and leaves the caret of a page where the page put it', async () => {
  const wrapper = await open('/tickets', agent)
  const router = wrapper.vm.$router
  const menu = document.body.appendChild(document.createElement('button'))
  menu.focus()
  await router.push('/tickets?open=5')
  await flushPromises()
  expect(document.activeElement).toBe(menu)
  await router.push('/callbacks')
  await flushPromises()
  const main = wrapper.get('main').element
  expect(document.activeElement).toBe(main)

  const phone = main.appendChild(document.createElement('input'))
  phone.focus()
  await router.push('/desk')
  await flushPromises()
  expect(document.activeElement).toBe(phone)
  menu.remove()
  wrapper.unmount()
})
