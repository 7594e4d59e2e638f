import { expect, test, type Page } from '@playwright/test'
import { noSeriousFinding, picture, register, staff } from './support'

const title = '冷库电表跳闸怎么报修'

/** The panel of the ticket with this title, opened from the list. */
async function open(page: Page): Promise<void> {
  await page.goto('/admin/tickets')
  await page.getByText(title).first().click()
  await expect(page.getByRole('complementary')).toContainText(title)
}

async function choose(page: Page, label: string, words: string): Promise<void> {
  const box = page.getByRole('combobox', { name: label, exact: true })
  await box.fill(words)
  await page.getByRole('option', { name: new RegExp(words) }).first().click()
}

test('a ticket goes sideways: extension, co-handler, suspension, undoing', async ({ browser, request }) => {
  test.setTimeout(240_000)
  const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
  const h5 = await phone.newPage()
  await test.step('a company asks', async () => {
    await h5.goto('/m/register')
    await register(h5, request, { phone: '13812345688', company: '北京鲜冷达食品有限公司', name: '郭小满' })
    await expect(h5.getByText('北京鲜冷达食品有限公司').first()).toBeVisible()
    await h5.goto('/m/tickets/new')
    await h5.locator('input[name="type"]').click()
    await h5.getByRole('button', { name: '选好了' }).click()
    await h5.locator('input[name="title"]').fill(title)
    await h5.locator('textarea[name="body"]').fill('冷库昨晚跳闸三次，货品有损坏风险。')
    await h5.getByRole('button', { name: '提交诉求' }).click()
    await expect(h5.getByText(/GD\d{8}-\d{6}/).first()).toBeVisible()
  })

  const agent = await staff(browser, request, 'agent', '19900000001')
  await test.step('the desk dispatches with a co-handler, undoes it and dispatches again', async () => {
    await open(agent)
    await agent.getByRole('button', { name: '派单', exact: true }).first().click()
    await choose(agent, '承办单位', '城市管理')
    await agent.getByRole('dialog').getByRole('button', { name: '派单', exact: true }).last().click()
    await expect(agent.getByText('待签收').first()).toBeVisible()
    await agent.getByRole('button', { name: '撤销上一步' }).click()
    await expect(agent.getByRole('dialog').last()).toContainText('不会收回')
    await agent.getByRole('textbox', { name: '撤销原因' }).fill('漏选协办单位')
    await agent.getByRole('dialog').getByRole('button', { name: '撤销', exact: true }).click()
    await expect(agent.getByRole('complementary')).toContainText('撤销“派单至')
    await agent.getByRole('button', { name: '派单', exact: true }).first().click()
    await choose(agent, '承办单位', '城市管理')
    await choose(agent, '协办单位', '经济和信息化')
    await agent.locator('.el-dialog__title').last().click() // the list stays open while several may be chosen
    await agent.getByRole('dialog').getByRole('button', { name: '派单', exact: true }).last().click()
    await expect(agent.getByRole('list', { name: '办理环节' })).toContainText('协办')
  })

  const dept = await staff(browser, request, 'chengguan', '19900000002')
  const hops = dept.getByRole('list', { name: '办理环节' })
  await test.step('the unit signs, asks for more time and suspends', async () => {
    await open(dept)
    await dept.getByRole('button', { name: '签收', exact: true }).first().click()
    await expect(hops).toContainText('办理中')
    await hops.getByRole('button', { name: '申请延期' }).click()
    await dept.getByRole('combobox', { name: '原因', exact: true }).press('Enter')
    await dept.getByRole('option', { name: '需要实地勘查或检验检测' }).click()
    await dept.getByRole('textbox', { name: '情况说明' }).fill('须等供电公司到场勘查')
    await picture(dept, 'extension')
    await dept.getByRole('button', { name: '提交延期申请' }).click()
    await expect(dept.getByRole('complementary')).toContainText('延期待审')
    await dept.getByRole('button', { name: '更多操作' }).click()
    await dept.getByRole('menuitem', { name: '挂起' }).click()
    await dept.getByRole('textbox', { name: '需要企业补充的内容' }).fill('请上传电表照片')
    await dept.getByRole('dialog').getByRole('button', { name: '挂起', exact: true }).click()
    await expect(dept.getByRole('complementary')).toContainText('等待企业补充：请上传电表照片')
    await picture(dept, 'suspended')
    await noSeriousFinding(dept)
  })

  await test.step('the company supplements on the phone', async () => {
    await h5.goto('/m/tickets')
    await h5.getByText(title).first().click()
    await expect(h5.getByText('请上传电表照片').first()).toBeVisible()
    await picture(h5, 'supplement')
    await h5.getByRole('button', { name: '提交补充材料' }).click()
    await expect(h5.getByText('请填写补充说明')).toBeVisible()
    await h5.locator('textarea[name="text"]').fill('电表在一层东侧，型号已写在标签上')
    await h5.getByRole('button', { name: '提交补充材料' }).click()
    await expect(h5.getByText('电表在一层东侧，型号已写在标签上').first()).toBeVisible()
    await expect(h5.getByText('请上传电表照片').first()).toBeVisible() // in the course
    await expect(h5.getByText('延期')).toHaveCount(0) // what is between staff stays there
  })

  await test.step('the lead waits for the co-handler, then answers for both', async () => {
    await dept.reload()
    await expect(dept.getByRole('complementary')).toContainText('企业补充材料，恢复办理')
    await expect(dept.getByRole('button', { name: '反馈', exact: true })).toHaveCount(0)
    const other = await staff(browser, request, 'jingxin', '19900000003')
    await open(other)
    await other.getByRole('button', { name: '签收', exact: true }).click()
    await other.getByRole('button', { name: '反馈', exact: true }).click()
    await other.getByRole('textbox', { name: '办理结果' }).fill('已协调供电企业。')
    await other.getByRole('dialog').getByRole('button', { name: '反馈', exact: true }).click()
    await expect(other.getByRole('list', { name: '办理环节' })).toContainText('反馈：已协调供电企业。')
    await other.context().close()
    await dept.reload()
    await dept.getByRole('button', { name: '反馈', exact: true }).click()
    await dept.getByRole('textbox', { name: '办理结果' }).fill('电表已更换，恢复供电。')
    await dept.getByRole('button', { name: '提交反馈' }).click()
    await expect(dept.getByRole('complementary').getByText('待回访').first()).toBeVisible()
    await picture(dept, 'hops')
    await dept.setViewportSize({ width: 390, height: 844 })
    await picture(dept, 'hops-390')
  })
})
