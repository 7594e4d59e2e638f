import { expect, test } from '@playwright/test'
import { noSeriousFinding, picture, register, staff } from './support'

const owner = '13612340994'
// The browser of the tests says of itself that nobody sits before it; visits of such are not counted.
const userAgent = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1'

test('a channel is made, its link is opened and somebody registers, the statistics show it, a bank learns nothing', async ({ browser, request }) => {
  test.setTimeout(180_000)
  const operator = await staff(browser, request, 'operator01', '19900020004')
  let link = ''

  await test.step('the operator makes two posters and sees their codes', async () => {
    await operator.goto('/admin/channels')
    await operator.getByRole('button', { name: '新建渠道' }).click()
    const dialog = operator.getByRole('dialog')
    await dialog.getByRole('textbox', { name: '渠道名称' }).fill('测试海报')
    await dialog.getByRole('spinbutton', { name: '数量' }).fill('2')
    await dialog.getByRole('spinbutton', { name: '数量' }).blur()
    await expect(dialog.getByText('测试海报1 至 测试海报2')).toBeVisible()
    await dialog.locator('.el-select').filter({ has: operator.getByRole('combobox', { name: '打开的页面' }) }).click()
    await operator.getByRole('option', { name: '手机端：企业注册' }).click()
    await dialog.getByRole('button', { name: '新建', exact: true }).click()
    await expect(operator.getByText('已新建 2 个渠道')).toBeVisible()
    await operator.getByRole('cell', { name: '测试海报1' }).click()
    const code = operator.getByRole('img', { name: '测试海报1的二维码' })
    await expect(code).toBeVisible()
    expect(await code.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0)
    link = (await operator.getByText(/\/c\/[A-Z2-9]{6}$/).first().textContent())!.trim()
    await noSeriousFinding(operator)
    await picture(operator, 'channels')
  })

  const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, userAgent })
  const h5 = await phone.newPage()
  await test.step('a visitor opens the short link twice and registers', async () => {
    await h5.goto(link)
    await h5.goto(link)
    await expect(h5).toHaveURL(/\/m\/register\?c=[A-Z2-9]{6}$/)
    await phone.clearCookies({ name: '__Host-huiqi-channel' }) // as browsers inside apps do: the page carries it on
    await register(h5, request, { phone: owner, company: '通州区海报来的面包房〔测试〕', name: '沈青' })
    await expect(h5).not.toHaveURL(/register/)
  })

  await test.step('the statistics show one visitor and one registration', async () => {
    await operator.goto('/admin/channels/stats')
    const row = operator.getByRole('row', { name: /测试海报1/ })
    await expect(row).toContainText('100.0%')
    expect((await row.locator('.hq-figures').allTextContents()).slice(0, 3)).toEqual(['1', '1', '1'])
    await expect(operator.getByText('合计')).toBeVisible()
    await noSeriousFinding(operator)
    await picture(operator, 'channel-stats')
  })

  await test.step('a link that is switched off leads to the home page and counts no more', async () => {
    await operator.goto('/admin/channels')
    await operator.getByRole('cell', { name: '测试海报1' }).click()
    await operator.getByRole('button', { name: '停用', exact: true }).click()
    await operator.getByRole('dialog', { name: '停用渠道' }).getByRole('button', { name: '停用' }).click()
    await expect(operator.getByText('渠道已停用')).toBeVisible()
    const answer = await request.get(link, { maxRedirects: 0, headers: { 'User-Agent': userAgent } })
    expect([answer.status(), answer.headers()['location']]).toEqual([302, '/'])
  })

  await test.step('a bank reads neither channels nor statistics', async () => {
    const bank = await staff(browser, request, 'bank-yunhe-1', '19900060001')
    for (const path of ['/api/channels', '/api/channel-stats', '/api/channels/1/qr.png', '/api/channel-origins/applications/1']) {
      expect((await bank.request.get(path)).status(), path).toBe(403)
    }
    await bank.context().close()
  })
  await operator.context().close()
  await phone.close()
})
