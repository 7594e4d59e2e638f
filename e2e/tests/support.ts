import { expect, type APIRequestContext, type Browser, type Page } from '@playwright/test'
import AxeBuilder from '@axe-core/playwright'

const password = 'Tongzhou-2026-demo'

/** The newest code on a sandbox phone, "" when there is none. */
async function newest(request: APIRequestContext, phone: string): Promise<string> {
  const answer = await request.get(`/sandbox/api/phones/${phone}`)
  if (!answer.ok()) return ''
  const body = (await answer.json()) as { sms?: { content: string }[] }
  return /\d{6}/.exec(body.sms?.[0]?.content ?? '')?.[0] ?? ''
}

/** Waits for a code on a sandbox phone that is not the one known already. */
export async function codeOn(request: APIRequestContext, phone: string, known = ''): Promise<string> {
  let code = ''
  await expect
    .poll(async () => {
      code = await newest(request, phone)
      return code === known ? '' : code
    })
    .not.toBe('')
  return code
}

/** Reads the captcha's digits as a person would hear them: the test has the database the demo runs on. */
export async function solve(page: Page): Promise<string> {
  const { execFileSync } = await import('node:child_process')
  const src = await page.locator('img[src*="/captcha/"]').first().getAttribute('src')
  const id = /captcha\/([\w-]+)\.png/.exec(src ?? '')?.[1] ?? ''
  return execFileSync('sqlite3', ['-readonly', 'test-results/data/huiqi.db', `SELECT digits FROM captchas WHERE id = '${id}'`], { encoding: 'utf8' }).trim()
}

/** Signs a member of staff in: password, captcha, code. The demo's password unless told otherwise. */
export async function staff(
  browser: Browser,
  request: APIRequestContext,
  account: string,
  phone: string,
  own: { password?: string; heading?: string | RegExp } = {},
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  const page = await context.newPage()
  await page.goto('/admin/')
  await page.getByLabel('账号').fill(account)
  await page.getByLabel('密码', { exact: true }).fill(own.password ?? password)
  await page.locator('input[name="captchaAnswer"], input[aria-label*="验证码"]').first().fill(await solve(page))
  const known = await newest(request, phone)
  await page.getByRole('button', { name: /登录|下一步/ }).click()
  const code = page.getByLabel(/短信验证码/)
  await expect(code).toBeVisible()
  await code.fill(await codeOn(request, phone, known))
  await page.getByRole('button', { name: /登录|验证|确认/ }).last().click()
  await expect(page.getByRole('heading', { name: own.heading ?? /您好/ })).toBeVisible()
  return page
}

/** Takes a picture for the README when SHOTS names the folder. */
export async function picture(page: Page, name: string): Promise<void> {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.jpg`, type: 'jpeg', quality: 34 })
}

export async function noSeriousFinding(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => v.id)).toEqual([])
}

/** Fills and sends the registration form that is open on a phone. */
export async function register(h5: Page, request: APIRequestContext, who: { phone: string; company: string; name: string }): Promise<void> {
  await h5.locator('input[name="phone"]').fill(who.phone)
  await expect(h5.locator('img[src*="/captcha/"]')).toBeVisible()
  await h5.locator('input[name="captchaAnswer"]').fill(await solve(h5))
  await h5.getByRole('button', { name: '获取验证码' }).click()
  await h5.locator('input[name="code"]').fill(await codeOn(request, who.phone))
  await h5.locator('textarea[name="companyName"]').fill(who.company)
  await h5.locator('input[name="contactName"]').fill(who.name)
  await h5.locator('.van-checkbox__icon').click()
  await h5.getByRole('button', { name: '注册', exact: true }).click()
}

/** A 1 × 1 picture. */
export const dot = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64')
