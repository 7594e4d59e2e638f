import { expect, test } from '@playwright/test'
import { dot, noSeriousFinding, register, staff } from './support'

const owner = '13812345678'

test('a bakery asks the hotline and is answered', async ({ browser, request }) => {
  test.setTimeout(150_000)
  const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
  const h5 = await phone.newPage()

  await test.step('she registers on her phone', async () => {
    await h5.goto('/m/register')
    await register(h5, request, { phone: owner, company: '北京麦香𠮷烘焙有限公司', name: '林晓梅' })
    await expect(h5.getByText('北京麦香𠮷烘焙有限公司').first()).toBeVisible()
  })

  await test.step('she writes a request', async () => {
    await h5.goto('/m/tickets/new')
    await h5.locator('input[name="type"]').click()
    await h5.getByRole('button', { name: '选好了' }).click()
    await h5.locator('input[name="title"]').fill('店门口路灯不亮🙏')
    await h5.locator('textarea[name="body"]').fill('新华西街 12 号门前路灯坏了三天，晚上顾客不敢进店，请尽快维修。<script>alert(1)</script>')
    await h5.getByRole('button', { name: '提交诉求' }).click()
    await expect(h5.getByText('店门口路灯不亮🙏').first()).toBeVisible()
    await expect(h5.getByText(/GD\d{8}-\d{6}/).first()).toBeVisible()
  })

  const agent = await staff(browser, request, 'agent', '19900000001')
  await test.step('an agent sends it to a department', async () => {
    await agent.goto('/admin/tickets')
    await agent.getByText('店门口路灯不亮🙏').first().click()
    await agent.getByRole('button', { name: '派单', exact: true }).first().click()
    await agent.getByRole('combobox', { name: '承办单位' }).fill('城市管理')
    await agent.getByRole('option', { name: /城市管理/ }).first().click()
    await agent.getByRole('dialog').getByRole('button', { name: '派单', exact: true }).last().click()
    await expect(agent.getByText('待签收').first()).toBeVisible()
  })

  const dept = await staff(browser, request, 'chengguan', '19900000002')
  await test.step('the department signs and answers with a file', async () => {
    await dept.goto('/admin/tickets')
    await dept.getByText('店门口路灯不亮🙏').first().click()
    await dept.getByRole('button', { name: '签收' }).first().click()
    await dept.getByRole('button', { name: '反馈' }).first().click()
    await dept.getByRole('textbox', { name: '办理结果' }).fill('已更换灯头，当晚恢复照明。')
    await dept.locator('input[type="file"]').setInputFiles({ name: '维修单.png', mimeType: 'image/png', buffer: dot })
    await expect(dept.getByText('维修单.png').first()).toBeVisible()
    // The form waits for the file; the list behind it has answered tickets of its own.
    await expect(async () => {
      await dept.getByRole('button', { name: '提交反馈' }).click({ timeout: 2_000 })
      await expect(dept.getByRole('dialog')).toHaveCount(0, { timeout: 3_000 })
    }).toPass()
    await expect(dept.getByRole('complementary').getByText('待回访')).toBeVisible()
  })

  await test.step('another department does not see it', async () => {
    const other = await staff(browser, request, 'jingxin', '19900000003')
    await other.goto('/admin/tickets')
    await expect(other.getByText('店门口路灯不亮🙏')).toHaveCount(0)
    await other.context().close()
  })

  await test.step('the agent calls back and closes', async () => {
    await agent.reload()
    await agent.getByRole('button', { name: '回访并办结' }).first().click()
    await agent.getByRole('dialog').getByRole('button', { name: '办结', exact: true }).last().click()
    await expect(agent.getByText('已办结').first()).toBeVisible()
  })

  await test.step('she reads the answer and rates it in two taps', async () => {
    await h5.goto('/m/tickets')
    await h5.getByText('店门口路灯不亮🙏').first().click()
    await expect(h5.getByText('已更换灯头，当晚恢复照明。').first()).toBeVisible()
    await expect(h5.getByText('维修单.png').first()).toBeVisible()
    await h5.getByRole('radio', { name: '非常满意' }).click()
    await h5.getByRole('button', { name: '提交评价' }).click()
    await expect(h5.getByRole('button', { name: '提交评价' })).toHaveCount(0)
  })

  await test.step('the portal shows the same, without a script', async () => {
    const plain = await browser.newContext({ javaScriptEnabled: false, storageState: await phone.storageState() })
    const portal = await plain.newPage()
    await portal.goto('/tickets')
    await portal.getByRole('link', { name: '店门口路灯不亮🙏' }).click()
    await expect(portal.getByText('已办结').first()).toBeVisible()
    await expect(portal.getByText('<script>alert(1)</script>')).toBeVisible()
    await portal.goto('/tickets/new')
    await portal.getByRole('button', { name: '下一步' }).click()
    await expect(portal.getByRole('alert')).toContainText('诉求类型')
    await portal.getByLabel('诉求类型').selectOption({ index: 1 })
    await portal.getByRole('button', { name: '下一步' }).click()
    await portal.getByLabel('标题').fill('咨询房租补贴')
    await portal.getByLabel('具体情况').fill('租用众创空间，想了解房租补贴条件。')
    await portal.getByRole('button', { name: '提交诉求' }).click()
    await expect(portal.getByText('诉求已提交')).toBeVisible()
    await plain.close()
  })
})

test('the portal has no serious accessibility finding', async ({ page }) => {
  for (const path of ['/', '/login', '/register', '/privacy', '/sitemap']) {
    await page.goto(path)
    await noSeriousFinding(page)
  }
})

test('somebody else sees nothing', async ({ browser }) => {
  const stranger = await browser.newPage()
  await stranger.goto('/tickets/1')
  await expect(stranger).toHaveURL(/\/login/)
  const answer = await stranger.request.get('/api/tickets/1')
  expect(answer.status()).toBe(401)
})
