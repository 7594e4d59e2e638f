import { readFileSync } from 'node:fs'
import { expect, test, type APIRequestContext, type Page } from '@playwright/test'

import { codeOn, solve, staff } from '../tests/support'
import { offered, Walk } from './walker'

const portal = /^\/(?!m\/|m$|admin)/
const h5 = /^\/m(\/|$)/
const office = /^\/admin(\/|$)/

/** Roles to picture, ROLES=agent,visitor; all when left out. */
const only = process.env.ROLES?.split(',')
const wanted = (role: string) => !only || only.includes(role)

/** The people a demo lists at its start: one of each role, as two of a role see the same pages. */
function people(): { account: string; phone: string; title: string }[] {
  const lines = readFileSync('test-results/demo.txt', 'utf8').split('\n')
  const list = lines.flatMap((line) => {
    const [, account, phone, title] = /^ {2}(\S+)\s+(1\d{10})\s+(.+?)\s*$/.exec(line) ?? []
    return account && phone && title ? [{ account, phone, title }] : []
  })
  return list.filter((p, i) => wanted(p.account) || list.findIndex((q) => q.title === p.title) === i)
}

/** Signs a person of a company in, on the phone. */
async function signIn(page: Page, request: APIRequestContext, phone: string): Promise<void> {
  await page.setViewportSize({ width: 390, height: 844 })
  await page.goto('/m/login')
  await page.locator('input[name="phone"]').fill(phone)
  await expect(page.locator('img[src*="/captcha/"]')).toBeVisible()
  await page.locator('input[name="captchaAnswer"]').fill(await solve(page))
  await page.getByRole('button', { name: '获取验证码' }).click()
  await page.locator('input[name="code"]').fill(await codeOn(request, phone))
  await page.getByRole('button', { name: '登录', exact: true }).click()
  await expect(page).not.toHaveURL(/login/)
}

test('every page of every role', async ({ browser, request }) => {
  const problems: string[] = []
  const roles = people()
  expect(roles.length, 'people the demo lists').toBeGreaterThan(10)

  if (wanted('visitor')) {
    const context = await browser.newContext()
    await new Walk(await context.newPage(), 'visitor', portal, problems).from(['/', '/sitemap', '/search?q=贷款'])
    const page = await context.newPage()
    await page.goto('/m/')
    await new Walk(page, 'visitor', h5, problems).from(await offered(page))
    await context.close()
  }
  for (const { account, phone } of roles) {
    const company = account === '短信登录'
    const role = company ? 'company' : account
    if (!wanted(role)) continue
    try {
      const page = company ? await (await browser.newContext()).newPage() : await staff(browser, request, account, phone)
      if (company) {
        await signIn(page, request, phone)
        await new Walk(await page.context().newPage(), role, portal, problems).from(['/', '/my', '/sitemap'])
      }
      const walk = new Walk(page, role, company ? h5 : office, problems)
      const pages = await walk.from(await offered(page))
      if (pages < 2) problems.push(`${role}: only ${pages} page`)
      await page.context().close()
    } catch (error) {
      problems.push(`${role}: ${String(error).split('\n')[0]}`) // the others are pictured all the same
    }
  }
  expect([...new Set(problems)].join('\n'), 'what is wrong on the pages').toBe('')
})
