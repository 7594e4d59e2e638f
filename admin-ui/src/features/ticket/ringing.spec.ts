import { flushPromises } from '@vue/test-utils'
import { expect, it } from 'vitest'
import { openDesk } from './desk.test-setup'

it('takes the number that rings while the page is open, once more when it rings again, and never over what is typed', async () => {
  const { router, wrapper } = await openDesk(['DeskMatter', 'DeskAnswer', 'StepHint', 'CallerHistory'])
  const phone = () => wrapper.get<HTMLInputElement>('input[aria-label="来电号码"]')
  const rings = async (number: string) => {
    await router.push({ path: '/desk', query: { phone: number } })
    await flushPromises()
  }
  expect(phone().element.value).toBe('')
  await rings('13612341012')
  expect(phone().element.value).toBe('13612341012')
  // Written down, the form is empty; the same caller rings again.
  await phone().setValue('')
  await rings('13612341012')
  expect(phone().element.value).toBe('13612341012')
  await rings('13612341013')
  expect(phone().element.value).toBe('13612341012')
  expect(document.body.textContent).toContain('上一个来电还没有登记完')
  expect(router.currentRoute.value.query).toEqual({})
})
