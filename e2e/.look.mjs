import { chromium } from '@playwright/test'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
const base = 'http://localhost:18106', dir = '/tmp/fields'
mkdirSync(dir + '/s', { recursive: true })
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
const sleep = (ms) => new Promise((r) => setTimeout(r, ms))
const db = dir + '/data/huiqi.db'
async function solve(page) {
  const img = page.locator('img[src*="/captcha/"]').first(); await img.waitFor()
  const id = /captcha\/([\w-]+)\.png/.exec(await img.getAttribute('src'))[1]
  return execFileSync('sqlite3', ['-readonly', db, `SELECT digits FROM captchas WHERE id = '${id}'`], { encoding: 'utf8' }).trim()
}
async function newest(page, phone) {
  const a = await page.request.get(`${base}/sandbox/api/phones/${phone}`); if (!a.ok()) return ''
  return /\d{6}/.exec((await a.json()).sms?.[0]?.content ?? '')?.[0] ?? ''
}
async function code(page, phone, known) { for (let i = 0; i < 300; i++) { const c = await newest(page, phone); if (c && c !== known) return c; await sleep(250) } throw new Error('no code') }
export async function staff(account, phone, width = 1440) {
  const kept = `${dir}/s/${account}.json`
  if (!existsSync(kept)) {
    const ctx = await browser.newContext({ viewport: { width: 1440, height: 900 }, baseURL: base }); const page = await ctx.newPage()
    await page.goto('/admin/'); await page.getByLabel('账号').fill(account); await page.getByLabel('密码', { exact: true }).fill('Tongzhou-2026-demo')
    await page.locator('input[name="captchaAnswer"], input[aria-label*="验证码"]').first().fill(await solve(page))
    const known = await newest(page, phone)
    await page.getByRole('button', { name: /登录|下一步/ }).click(); const c = page.getByLabel(/短信验证码/); await c.waitFor(); await c.fill(await code(page, phone, known))
    await page.getByRole('button', { name: /登录|验证|确认/ }).last().click(); await page.getByRole('heading', { name: /您好/ }).waitFor(); await ctx.storageState({ path: kept }); await ctx.close()
  }
  return (await browser.newContext({ viewport: { width, height: 900 }, storageState: kept, baseURL: base })).newPage()
}
export async function company(phone, width = 390) {
  const kept = `${dir}/s/${phone}.json`
  if (!existsSync(kept)) {
    const ctx = await browser.newContext({ viewport: { width: 390, height: 844 }, baseURL: base }); const page = await ctx.newPage()
    await page.goto('/m/login'); await page.locator('input[name="phone"]').fill(phone)
    const known = await newest(page, phone)
    await page.locator('input[name="captchaAnswer"]').fill(await solve(page)); await page.getByRole('button', { name: '获取验证码' }).click()
    await page.locator('input[name="code"]').fill(await code(page, phone, known)); await page.getByRole('button', { name: '登录', exact: true }).click()
    await page.waitForURL((u) => !/login/.test(u.href)); await sleep(1500); await ctx.storageState({ path: kept }); await ctx.close()
  }
  return (await browser.newContext({ viewport: { width, height: width < 500 ? 844 : 900 }, storageState: kept, baseURL: base })).newPage()
}
export async function visitor(width) { return (await browser.newContext({ viewport: { width, height: 900 }, baseURL: base })).newPage() }
export async function shot(page, name, full = true) { await sleep(900); await page.screenshot({ path: `${dir}/${name}.png`, fullPage: full }) }
export async function sql(q) { return execFileSync('sqlite3', ['-readonly', db, q], { encoding: 'utf8' }).trim() }
export async function end() { await browser.close() }
