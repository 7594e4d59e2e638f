import { expect, type APIRequestContext, type Browser, type Page, test } from '@playwright/test'
import AxeBuilder from '@axe-core/playwright'

const owner = '13812345678'
const password = 'Tongzhou-2026-demo'

/** The newest code on a sandbox phone that is not the one known already. */
async function codeOn(request: APIRequestContext, phone: string, known = ''): Promise<string> {
  let code = ''
  await expect
    .poll(async () => {
      const answer = await request.get(`/sandbox/api/phones/${phone}`)
      if (!answer.ok()) return ''
      const body = (await answer.json()) as { sms?: { content: string }[] }
      code = /\d{6}/.exec(body.sms?.[0]?.content ?? '')?.[0] ?? ''
      return code === known ? '' : code
    })
    .not.toBe('')
  return code
}

/** Reads the captcha's digits as a person would hear them: the test has the database the demo runs on. */
async function solve(page: Page): Promise<string> {
  const { execFileSync } = await import('node:child_process')
  const src = await page.locator('img[src*="/captcha/"]').first().getAttribute('src')
  const id = /captcha\/([\w-]+)\.png/.exec(src ?? '')?.[1] ?? ''
  return execFileSync('sqlite3', ['-readonly', 'test-results/data/huiqi.db', `SELECT digits FROM captchas WHERE id = '${id}'`], { encoding: 'utf8' }).trim()
}

async function staff(browser: Browser, request: APIRequestContext, account: string, phone: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  const page = await context.newPage()
  await page.goto('/admin/')
  await page.getByLabel('账号').fill(account)
  await page.getByLabel('密码', { exact: true }).fill(password)
  await page.locator('input[name="captchaAnswer"], input[aria-label*="验证码"]').first().fill(await solve(page))
  await page.getByRole('button', { name: /登录|下一步/ }).click()
  const code = page.getByLabel(/短信验证码/)
  await expect(code).toBeVisible()
  await code.fill(await codeOn(request, phone))
  await page.getByRole('button', { name: /登录|验证|确认/ }).last().click()
  await expect(page.getByRole('heading', { name: /您好/ })).toBeVisible()
  return page
}

/** Takes a picture for the README when SHOTS names the folder. */
async function picture(page: Page, name: string): Promise<void> {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.jpg`, type: 'jpeg', quality: 34 })
}

async function noSeriousFinding(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => v.id)).toEqual([])
}

test('a bakery asks the hotline and is answered', async ({ browser, request }) => {
  test.setTimeout(150_000)
  const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
  const h5 = await phone.newPage()

  await test.step('she registers on her phone', async () => {
    await h5.goto('/m/register')
    await h5.locator('input[name="phone"]').fill(owner)
    await expect(h5.locator('img[src*="/captcha/"]')).toBeVisible()
    await h5.locator('input[name="captchaAnswer"]').fill(await solve(h5))
    await h5.getByRole('button', { name: '获取验证码' }).click()
    await h5.locator('input[name="code"]').fill(await codeOn(request, owner))
    await h5.locator('textarea[name="companyName"]').fill('北京麦香𠮷烘焙有限公司')
    await h5.locator('input[name="contactName"]').fill('林晓梅')
    await h5.locator('.van-checkbox__icon').click()
    await h5.getByRole('button', { name: '注册', exact: true }).click()
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
    await dept.getByRole('button', { name: '提交反馈' }).click()
    await expect(dept.getByText('待回访').first()).toBeVisible()
    await picture(dept, 'admin')
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
    await picture(h5, 'h5')
    await h5.locator('.van-rate__item').nth(4).click()
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
    await picture(portal, 'portal')
    await portal.goto('/tickets/new')
    await portal.getByLabel('标题').fill('咨询房租补贴')
    await portal.getByRole('button', { name: '提交诉求' }).click()
    await expect(portal.getByRole('alert')).toContainText('诉求类型')
    await expect(portal.getByLabel('标题')).toHaveValue('咨询房租补贴')
    await portal.getByLabel('诉求类型').selectOption({ index: 1 })
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

/** A 1 × 1 picture. */
const dot = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64')
