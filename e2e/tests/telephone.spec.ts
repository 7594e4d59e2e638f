import { expect, test, type Page } from '@playwright/test'
import { send, staff } from './support'

const caller = '13612341095'

interface Ticket {
  id: number
  number: string
  version: number
  status: string
}

test('a call rings at its seat alone, is written down and heard again; keys pressed on the telephone judge the reply', async ({ browser, request }) => {
  const agent = await staff(browser, request, 'agent', '19900000001')
  const lead = await staff(browser, request, 'lead', '19900020013')
  const telephone = await browser.newPage()
  const call = telephone.locator('section.card').filter({ hasText: caller }).first()
  const bar = (page: Page) => page.getByRole('status', { name: '来电' })
  const today = lead.locator('section').filter({ has: lead.getByRole('heading', { name: '今日来电' }) }).locator('.huge')
  let before = 0

  await test.step('the lead gives the agent a telephone and looks at the wallboard', async () => {
    const me = (await (await agent.request.get('/api/session')).json()) as { user: { id: number } }
    await send(lead, 'PUT', '/api/cti/extensions', { extension: '8006', userId: me.user.id })
    await lead.goto('/admin/supervision/wallboard')
    await expect(today).toBeVisible()
    before = Number(await today.textContent())
    await agent.goto('/admin/desk')
    await expect(agent.getByRole('textbox', { name: '来电号码' })).toBeVisible()
  })

  await test.step('somebody calls: the bar of that seat says so by itself, nobody else has one', async () => {
    await telephone.goto('/sandbox/telephone')
    await telephone.getByLabel('来电号码').fill(caller)
    await telephone.getByRole('button', { name: '拨入' }).click()
    await expect(call).toContainText('已接收')
    await call.getByLabel('坐席分机').selectOption('8006')
    await call.getByRole('button', { name: '振铃' }).click()
    await expect(bar(agent)).toContainText('来电振铃')
    await expect(bar(agent)).toContainText(caller)
    await expect(bar(lead)).toHaveCount(0)
    await call.getByRole('button', { name: '接通' }).click()
    await expect(bar(agent)).toContainText('通话中')
  })

  const ticket = await test.step('she writes it down while they talk', async () => {
    await expect(bar(agent).getByRole('button', { name: '登记' })).toBeVisible()
    const made = await send<Ticket>(agent, 'POST', '/api/tickets', { type: '070102', title: '门前垃圾两天没有清运', body: '新华西街商铺门前垃圾堆放两天。', contactName: '赵敏', phone: caller, source: 'agent' })
    await call.getByRole('button', { name: '挂机' }).click()
    await expect(bar(agent)).toContainText('通话已结束')
    return made
  })

  await test.step('the wallboard has counted the call without being asked', async () => {
    await expect(today).toHaveText(String(before + 1), { timeout: 15_000 })
  })

  await test.step('the call stands at its ticket with its recording', async () => {
    await expect(async () => {
      await lead.goto(`/admin/tickets/${ticket.id}`)
      await expect(lead.getByRole('button', { name: '听录音' })).toBeVisible({ timeout: 3_000 })
    }).toPass()
  })

  await test.step('after the reply the caller presses 1, the best', async () => {
    const units = (await (await lead.request.get('/api/ticket-units')).json()) as { items: { id: number; name: string }[] }
    await send(lead, 'POST', `/api/tickets/${ticket.id}/dispatch`, { version: ticket.version, unitId: units.items.find((u) => u.name.includes('城市管理'))!.id })
    const dept = await staff(browser, request, 'chengguan', '19900000002')
    await dept.goto(`/admin/tickets/${ticket.id}`)
    await dept.getByRole('button', { name: '签收', exact: true }).first().click()
    await dept.getByRole('button', { name: '反馈', exact: true }).first().click()
    await dept.getByRole('textbox', { name: '办理结果' }).fill('已清运，并增加每日一次巡查。')
    await dept.getByRole('button', { name: '提交反馈' }).click()
    await expect(dept.getByText('待回访').first()).toBeVisible()
    await dept.context().close()
    const survey = telephone.locator('section.card').filter({ has: telephone.getByRole('heading', { name: '语音回访按键' }) })
    await survey.getByLabel('工单号').fill(ticket.number)
    await survey.getByLabel('按键').selectOption('1')
    await survey.getByRole('button', { name: '提交按键' }).click()
    await expect(telephone.locator('section.card').filter({ hasText: '已按键' }).first()).toContainText('已接收')
    await lead.goto(`/admin/tickets/${ticket.id}`)
    await expect(lead.getByText('语音回访：非常满意').first()).toBeVisible()
    const now = (await (await lead.request.get(`/api/tickets/${ticket.id}`)).json()) as Ticket
    expect(now.status).toBe('closed') // the other way round it would be done again
  })
})
