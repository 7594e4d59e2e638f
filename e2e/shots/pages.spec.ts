import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, type Page } from '@playwright/test'

import { codeOn, solve, staff } from '../tests/support'

const folder = process.env.SHOTS_DIR ?? 'test-results/shots'
const widths = [1440, 390]

/** The address without its numbers and query: one picture stands for all pages of a kind. */
function kindOf(path: string): string {
  return path.replace(/\?.*$/, '').replace(/#.*$/, '').replace(/\/\d+(?=\/|$)/g, '/N').replace(/(.)\/$/, '$1')
}

/** What is no page: what ends the session, downloads and the stand-ins of other systems. */
const skipped = /^\/(logout|sandbox|files|captcha|api|healthz|readyz|wechat)|\.(pdf|xlsx|csv|png|jpg|xml|txt)$/

/** Every link of the page to another page of the same face. Pages that come later are found by themselves. */
async function links(page: Page, face: RegExp): Promise<string[]> {
  const all = await page.locator('a[href]').evaluateAll((list) => list.map((a) => (a as HTMLAnchorElement).href))
  const origin = new URL(page.url()).origin
  return all
    .filter((href) => href.startsWith(origin + '/'))
    .map((href) => href.slice(origin.length))
    .filter((path) => face.test(path) && !skipped.test(path))
}

/** Walks over a face from its first pages, and pictures each kind of page at each width. */
async function walk(page: Page, role: string, face: RegExp, first: string[]): Promise<void> {
  mkdirSync(join(folder, role), { recursive: true })
  const problems: string[] = []
  const seen = new Set<string>()
  const queue = [...first]
  let at = ''
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`${role} ${at}: console: ${message.text()}`)
  })
  page.on('pageerror', (error) => problems.push(`${role} ${at}: ${error.message}`))
  while (queue.length > 0) {
    const path = queue.shift()!
    const kind = kindOf(path)
    if (seen.has(kind)) continue
    seen.add(kind)
    for (const width of widths) {
      at = `${kind} at ${width} px`
      await page.setViewportSize({ width, height: width > 500 ? 900 : 844 })
      if (width === widths[0]) {
        await page.goto(path)
        await page.waitForLoadState('networkidle')
      }
      await page.waitForTimeout(250)
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      if (wide > 0) problems.push(`${role} ${at}: ${wide} px wider than the window`)
      const name = kind.replace(/^\//, '').replace(/\//g, '_') || 'home'
      await page.screenshot({ path: join(folder, role, `${name}-${width}.png`), fullPage: true })
      if (width === widths[0]) queue.push(...(await links(page, face)))
    }
    console.log(`${role} ${kind}`)
  }
  expect(seen.size, `${role} has more than one page`).toBeGreaterThan(1)
  expect(problems).toEqual([])
}

const portal = /^\/(?!m\/|m$|admin)/
const h5 = /^\/m(\/|$)/
const office = /^\/admin(\/|$)/

test('portal as a visitor', async ({ page }) => {
  await walk(page, 'portal-visitor', portal, ['/', '/sitemap', '/search?q=贷款'])
})

test('portal and H5 as a company', async ({ page, request }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  await page.goto('/m/login')
  await page.locator('input[name="phone"]').fill('19900030001')
  await expect(page.locator('img[src*="/captcha/"]')).toBeVisible()
  await page.locator('input[name="captchaAnswer"]').fill(await solve(page))
  await page.getByRole('button', { name: '获取验证码' }).click()
  await page.locator('input[name="code"]').fill(await codeOn(request, '19900030001'))
  await page.getByRole('button', { name: '登录', exact: true }).click()
  await expect(page).not.toHaveURL(/login/)
  const context = page.context()
  await walk(await context.newPage(), 'h5-company', h5, ['/m/', '/m/mine', '/m/tickets', '/m/applications', '/m/messages', '/m/tickets/new'])
  await walk(await context.newPage(), 'portal-company', portal, ['/', '/my', '/sitemap'])
})

// The staff of the demo who sign in with a password, as the start of a demo lists them.
for (const [account, phone] of [
  ['agent', '19900000001'],
  ['chengguan', '19900000002'],
  ['jingxinld', '19900000004'],
  ['sysadmin', '19900000005'],
  ['secadmin', '19900000006'],
  ['auditor', '19900000007'],
  ['operator01', '19900020004'],
  ['reviewer02', '19900020018'],
  ['editor01', '19900020006'],
  ['bank-yunhe-1', '19900060001'],
] as const) {
  test(`back office as ${account}`, async ({ browser, request }) => {
    const page = await staff(browser, request, account, phone)
    await walk(page, `office-${account}`, office, ['/admin/'])
  })
}
