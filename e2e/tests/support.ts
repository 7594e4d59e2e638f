import { expect, type APIRequestContext, type Browser, type Page } from '@playwright/test'
import type Axe from 'axe-core'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const password = 'Tongzhou-2026-demo'

/** The newest code on a sandbox phone, "" when there is none. */
async function newest(request: APIRequestContext, phone: string): Promise<string> {
  const answer = await request.get(`/sandbox/api/phones/${phone}`)
  if (!answer.ok()) return ''
  const body = (await answer.json()) as { sms?: { content: string }[] }
  return /\d{6}/.exec(body.sms?.[0]?.content ?? '')?.[0] ?? ''
}

/** Waits for a code on a sandbox phone that is not the one known already. The provider lets a phone have one a minute. */
export async function codeOn(request: APIRequestContext, phone: string, known = ''): Promise<string> {
  let code = ''
  await expect
    .poll(
      async () => {
        code = await newest(request, phone)
        return code === known ? '' : code
      },
      { timeout: 75_000, intervals: [200] },
    )
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

/**
 * A page of a member of staff at the desk's first page. The session of an earlier journey is used again while it is good: a
 * phone is sent one code a minute.
 */
export async function staff(
  browser: Browser,
  request: APIRequestContext,
  account: string,
  phone: string,
  own: { password?: string; heading?: string | RegExp } = {},
): Promise<Page> {
  const heading = own.heading ?? /您好/
  const kept = `test-results/sessions/${account}.json`
  const viewport = { width: 1440, height: 900 }
  if (existsSync(kept)) {
    const page = await (await browser.newContext({ viewport, storageState: kept })).newPage()
    await page.goto('/admin/')
    const form = page.getByLabel('账号')
    await expect(form.or(page.getByRole('heading', { name: heading }))).toBeVisible()
    if (!(await form.isVisible())) return page
    await page.context().close()
  }
  const context = await browser.newContext({ viewport })
  const page = await context.newPage()
  await signIn(page, request, account, phone, own.password ?? password)
  await expect(page.getByRole('heading', { name: heading })).toBeVisible()
  await context.storageState({ path: kept })
  return page
}

/** Signs a member of staff in: password, captcha, code. */
async function signIn(page: Page, request: APIRequestContext, account: string, phone: string, secret: string): Promise<void> {
  await page.goto('/admin/')
  await page.getByLabel('账号').fill(account)
  await page.getByLabel('密码', { exact: true }).fill(secret)
  await page.locator('input[name="captchaAnswer"], input[aria-label*="验证码"]').first().fill(await solve(page))
  const known = await newest(request, phone)
  await page.getByRole('button', { name: /登录|下一步/ }).click()
  const code = page.getByLabel(/短信验证码/)
  await expect(code).toBeVisible()
  await code.fill(await codeOn(request, phone, known))
  await page.getByRole('button', { name: /登录|验证|确认/ }).last().click()
}

/** Takes a picture for the README when SHOTS names the folder. */
export async function picture(page: Page, name: string, quality = 30): Promise<void> {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.jpg`, type: 'jpeg', quality })
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds serious or critical on a page, as "rule element". Without rules it looks with all of its own. */
export async function findings(page: Page, rules?: string[]): Promise<string[]> {
  await page.evaluate(axe)
  return page.evaluate(async (rules) => {
    const { axe } = window as unknown as { axe: typeof Axe }
    const { violations } = await axe.run({ resultTypes: ['violations'], ...(rules && { runOnly: { type: 'rule', values: rules } }) })
    return violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => `${v.id} ${v.nodes[0]?.html ?? ''}`)
  }, rules)
}

export async function noSeriousFinding(page: Page): Promise<void> {
  expect(await findings(page)).toEqual([])
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

/** Fills and sends the form on a phone that claims a company. */
export async function claim(h5: Page, name: string, code: string, person: string): Promise<void> {
  await h5.locator('textarea[name="name"]').fill(name)
  await h5.locator('input[name="creditCode"]').fill(code)
  await h5.locator('input[name="legalPerson"]').fill(person)
  await h5.getByRole('button', { name: '提交核验' }).click()
}

/** Sends a command as the person of the page, as its front-end would. */
export async function send<T>(page: Page, method: 'POST' | 'PUT', path: string, body: object): Promise<T> {
  return page.evaluate(
    async ({ method, path, body }) => {
      const session = (await (await fetch('/api/session')).json()) as { csrfToken: string }
      const headers = { 'Content-Type': 'application/json', 'X-CSRF-Token': session.csrfToken, 'Idempotency-Key': crypto.randomUUID() }
      const answer = await fetch(path, { method, headers, body: JSON.stringify(body) })
      if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
      return (answer.status === 204 ? null : await answer.json()) as T
    },
    { method, path, body },
  )
}

/** A 1 × 1 picture. */
export const dot = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64')

/** Opens a drop-down by its frame, as a mouse does, and takes one of its choices. */
export async function choose(page: Page, label: string, option: string): Promise<void> {
  await page.locator('.el-select').filter({ has: page.getByRole('combobox', { name: label }) }).click()
  await page.getByRole('option', { name: option }).click()
}

/** Writes a loan as the bank's operator, meeting the form's complaints first, and submits it. Returns its id. */
export async function writeLoan(bank: Page, name: string): Promise<string> {
  await bank.goto('/admin/products/new')
  await bank.getByRole('textbox', { name: '产品名称' }).fill(`〔演示〕${name}`)
  await choose(bank, '服务类别', '融资服务')
  await choose(bank, '融资类型', '债权融资')
  await bank.getByRole('textbox', { name: '一句话介绍' }).fill('给面包房添置烤箱、备节日原料的信用贷款🥐')
  await bank.getByRole('button', { name: '提交审核' }).click()
  await expect(bank.getByText(/草稿已保存，还有 \d+ 处/)).toBeVisible()
  await expect(bank.getByText('请填写年利率')).toBeVisible()
  await bank.getByRole('textbox', { name: '适用对象' }).fill('区内经营满一年的面包房')
  for (const [label, low, high] of [['年利率', '3.65', '4.35'], ['额度', '1', '50'], ['期限', '6', '24']] as const) {
    await bank.getByRole('spinbutton', { name: `${label}下限` }).fill(low)
    await bank.getByRole('spinbutton', { name: `${label}上限` }).fill(high)
  }
  await bank.getByRole('spinbutton', { name: '办理时限' }).fill('5')
  await bank.getByRole('textbox', { name: '产品说明' }).fill('依据收单流水核定额度，按日计息，没有其他收费。<script>alert(1)</script>')
  await bank.getByText('信用（无需抵押担保）', { exact: true }).click()
  await bank.getByRole('textbox', { name: '申请条件' }).fill('在区内经营满一年\n没有逾期贷款')
  await bank.getByRole('textbox', { name: '申请材料' }).fill('营业执照\n近六个月流水')
  await bank.getByRole('textbox', { name: '办理流程' }).fill('在线申请\n银行受理\n签约放款')
  await bank.getByRole('button', { name: '提交审核' }).click()
  await expect(bank).toHaveURL(/\/products\/\d+$/)
  await expect(bank.getByText('待初审', { exact: true }).first()).toBeVisible()
  return /products\/(\d+)/.exec(bank.url())?.[1] ?? ''
}

/** Has the platform pass a loan on to the government. */
export async function passLoan(browser: Browser, request: APIRequestContext, name: string, who: readonly [string, string] = ['operator01', '19900020004']): Promise<void> {
  const operator = await staff(browser, request, ...who)
  await operator.goto('/admin/product-reviews?q=' + encodeURIComponent(name))
  await operator.getByText(`〔演示〕${name}`).first().click()
  await operator.getByRole('button', { name: '初审通过' }).first().click()
  await operator.getByRole('dialog').getByRole('button', { name: '通过初审' }).click()
  await expect(operator.getByText('待终审').first()).toBeVisible()
  await operator.context().close()
}

/** Has the government list a loan. */
export async function listLoan(browser: Browser, request: APIRequestContext, name: string, who: readonly [string, string] = ['reviewer02', '19900020018']): Promise<void> {
  const reviewer = await staff(browser, request, ...who)
  await reviewer.goto('/admin/product-reviews?q=' + encodeURIComponent(name))
  await reviewer.getByText(`〔演示〕${name}`).first().click()
  await reviewer.getByRole('button', { name: '终审通过' }).first().click()
  await reviewer.getByRole('dialog').getByRole('button', { name: '通过终审' }).click()
  await expect(reviewer.getByText('已上架').first()).toBeVisible()
  await reviewer.context().close()
}
