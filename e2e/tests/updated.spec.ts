import { expect, test, type Page } from '@playwright/test'
import { picture } from './support'

/** The server after an upgrade: its index names another program, and the parts of the one before are gone. */
async function upgrade(page: Page, base: string): Promise<void> {
  await page.route(`**${base}assets/*.js`, (route) => route.fulfill({ status: 404, body: '' }))
  await page.route(`**${base}`, (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><script type="module" src="${base}assets/index-newer.js"></script>`,
    }),
  )
}

for (const width of [390, 1440]) {
  test(`after an upgrade an open page says so and keeps what was typed, at ${width} px`, async ({ browser }) => {
    const page = await (await browser.newContext({ viewport: { width, height: 844 } })).newPage()
    await page.goto('/m/login')
    const phone = page.locator('input[type="tel"]').first()
    await phone.fill('13612341021')
    await upgrade(page, '/m/')
    await page.evaluate(() => window.history.pushState({}, '', '/m/products'))
    await page.evaluate(() => window.dispatchEvent(new PopStateEvent('popstate', { state: {} })))
    const notice = page.getByRole('alert').filter({ hasText: '系统已更新，请刷新页面' })
    await expect(notice).toBeVisible()
    await expect(phone).toHaveValue('13612341021')
    await picture(page, `updated-h5-${width}`)
    await notice.getByRole('button', { name: '暂不刷新' }).click()
    await expect(notice).toBeHidden()
    await expect(phone).toHaveValue('13612341021')

    const office = await (await browser.newContext({ viewport: { width, height: 844 } })).newPage()
    await office.goto('/admin/login')
    const account = office.getByRole('textbox').first()
    await account.fill('zhiban')
    await upgrade(office, '/admin/')
    await office.evaluate(() => window.dispatchEvent(new Event('vite:preloadError')))
    const told = office.getByRole('alert').filter({ hasText: '系统已更新，请刷新页面' })
    await expect(told).toBeVisible()
    await expect(account).toHaveValue('zhiban')
    await picture(office, `updated-admin-${width}`)
    await office.unrouteAll()
    await told.getByRole('button', { name: '刷新页面' }).click()
    await expect(told).toBeHidden()
    await expect(office.getByRole('textbox').first()).toHaveValue('')
  })
}
