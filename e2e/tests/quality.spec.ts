import { expect, test, type Page } from '@playwright/test'
import { noSeriousFinding, send, staff } from './support'

const caller = '13812345701'

interface Ticket {
  id: number
  number: string
  version: number
}

/** An agent writes a call down; the caller has no account. */
const opened = (agent: Page, title: string): Promise<Ticket> =>
  send(agent, 'POST', '/api/tickets', { type: '010101', title, body: '门店一早停电，想知道什么时候恢复。', contactName: '何芳', phone: caller, source: 'agent' })

test('a call is checked: drawn, scored, appealed against, decided', async ({ browser, request }) => {
  const agent = await staff(browser, request, 'agent', '19900000001')
  const t = await opened(agent, '停电后如何申请补偿')
  const lead = await staff(browser, request, 'lead', '19900020013')

  await test.step('the lead makes a team', async () => {
    await lead.goto('/admin/supervision/teams')
    await lead.getByRole('button', { name: '新建班组' }).click()
    await lead.getByRole('textbox', { name: '班组名称' }).fill('机动组')
    const dialog = lead.getByRole('dialog')
    await dialog.locator('.el-select').first().click()
    await lead.getByRole('option').first().click()
    await dialog.getByRole('button', { name: '保存班组' }).click()
    await expect(lead.getByText('机动组').first()).toBeVisible()
  })

  await test.step('the lead draws the ticket that somebody complained of, and scores it', async () => {
    await expect(async () => {
      await lead.goto('/admin/quality/checks')
      await lead.getByRole('button', { name: '加抽' }).click()
      await lead.getByText('点名一件工单').click()
      await lead.getByRole('textbox', { name: '工单编号' }).fill(t.number)
      await lead.getByRole('textbox', { name: '抽检原因' }).fill('企业投诉解答不清')
      await lead.getByRole('button', { name: '抽取', exact: true }).click()
      await expect(lead.getByText(/抽取了 1 件/)).toBeVisible({ timeout: 3_000 })
    }).toPass() // the work is heard of a moment after it was done
    const row = lead.getByRole('row', { name: new RegExp(t.number) })
    await expect(row).toContainText('点名')
    await row.getByRole('link').first().click()
    await expect(lead.getByRole('heading', { name: '通用评分表' })).toBeVisible()
    await lead.getByRole('spinbutton').first().fill('10')
    await lead.getByRole('textbox', { name: /扣分原因/ }).first().fill('未用规范开头语')
    await noSeriousFinding(lead)
    await lead.getByRole('button', { name: '提交评分' }).click()
    await expect(lead.getByText('95 分')).toBeVisible()
  })

  await test.step('the agent appeals', async () => {
    await agent.goto('/admin/quality/checks')
    await agent.getByRole('row', { name: new RegExp(t.number) }).getByRole('link').first().click()
    await agent.getByRole('button', { name: '申诉' }).click()
    await agent.getByRole('textbox', { name: '申诉理由' }).fill('录音开头已使用规范用语，请核对。')
    await agent.getByRole('dialog').getByRole('button', { name: '提交申诉' }).click()
    await expect(agent.getByText('申诉中')).toBeVisible()
  })

  await test.step('a third person decides', async () => {
    const second = await staff(browser, request, 'dispatcher', '19900020014')
    await second.goto(lead.url())
    await second.getByRole('button', { name: '维持原评分' }).click()
    await second.getByRole('textbox', { name: '复核意见' }).fill('录音中没有开头语，维持原评分。')
    await second.getByRole('dialog').getByRole('button', { name: '提交复核' }).click()
    await expect(second.getByText('已复核', { exact: true })).toBeVisible()
  })
})
