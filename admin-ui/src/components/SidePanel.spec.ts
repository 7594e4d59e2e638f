import { mount } from '@vue/test-utils'
import { expect, it } from 'vitest'
import { nextTick, ref } from 'vue'
import SidePanel from './SidePanel.vue'

function list() {
  const open = ref('')
  const wrapper = mount(
    {
      components: { SidePanel },
      setup: () => ({ open }),
      template: `<div><button id="row" @click="open = '1'">工单</button>
        <SidePanel :open="open !== ''" :title="open" @close="open = ''"><input id="note" /></SidePanel></div>`,
    },
    { attachTo: document.body, global: { stubs: { RouterLink: true } } },
  )
  return { wrapper, open, row: wrapper.get<HTMLElement>('#row') }
}

it('takes the caret when it opens, keeps it while it shows another row and gives it back', async () => {
  const { wrapper, open, row } = list()
  row.element.focus()
  await row.trigger('click')
  await nextTick()
  expect(document.activeElement).toBe(wrapper.get('.body').element)

  wrapper.get<HTMLElement>('#note').element.focus()
  open.value = '2'
  await nextTick()
  expect(document.activeElement?.id).toBe('note')

  open.value = ''
  await nextTick()
  await nextTick()
  expect(document.activeElement).toBe(row.element)
})

it('leaves the caret alone when it is elsewhere by then', async () => {
  const { wrapper, open, row } = list()
  await row.trigger('click')
  await nextTick()
  const other = document.body.appendChild(document.createElement('input'))
  other.focus()
  open.value = ''
  await nextTick()
  await nextTick()
  expect(document.activeElement).toBe(other)
  other.remove()
  expect(wrapper.find('aside').exists()).toBe(false)
})
