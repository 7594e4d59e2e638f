import { expect, type Browser, test } from '@playwright/test'
import { listLoan, passLoan, staff, writeLoan } from './support'

const name = '烘焙贷'

/** Where the public could meet the product: list, search, both faces. */
async function publicly(browser: Browser, id: string): Promise<string[]> {
  const visitor = await browser.newContext()
  const page = await visitor.newPage()
  const found: string[] = []
  for (const path of ['/products', '/finance', `/products?q=${encodeURIComponent(name)}`]) {
    await page.goto(path)
    if (await page.locator(`a[href="/products/${id}"]`).count()) found.push(path.startsWith('/products?') ? 'portal search' : path)
  }
  if ((await page.goto(`/products/${id}`))?.status() === 200) found.push('portal page')
  for (const path of ['/api/products?limit=100', `/api/products?q=${encodeURIComponent(name)}`]) {
    const { items } = (await (await visitor.request.get(path)).json()) as { items: { id: number }[] }
    if (items.some((item) => String(item.id) === id)) found.push(path.includes('q=') ? 'api search' : 'api list')
  }
  if ((await visitor.request.get(`/api/products/${id}`)).ok()) found.push('api page')
  await visitor.close()
  return found
}

test('a bank publishes a loan, which nobody sees before both reviews', async ({ browser, request }) => {
  test.setTimeout(180_000)
  let id = ''

  const bank = await staff(browser, request, 'bank-yunhe-2', '19900060002')
  await test.step('an operator of the bank writes and submits it', async () => {
    id = await writeLoan(bank, name)
    expect(await publicly(browser, id)).toEqual([])
  })

  await test.step('the platform passes it on', async () => {
    await passLoan(browser, request, name)
    expect(await publicly(browser, id)).toEqual([])
  })

  await test.step('the government lists it', async () => {
    await listLoan(browser, request, name, ['reviewer01', '19900020017'])
  })

  await test.step('now it is on the portal, without a script, and found', async () => {
    expect(await publicly(browser, id)).toEqual(['/products', '/finance', 'portal search', 'portal page', 'api list', 'api search', 'api page'])
    const plain = await browser.newContext({ javaScriptEnabled: false })
    const portal = await plain.newPage()
    await portal.goto('/products')
    await portal.getByRole('searchbox', { name: '在服务产品中搜索' }).fill(name)
    await portal.getByRole('search').filter({ has: portal.getByLabel('在服务产品中搜索') }).getByRole('button', { name: '搜索' }).click()
    await expect(portal.locator('mark').first()).toHaveText(name)
    await portal.getByRole('link', { name: `〔演示〕${name}` }).click()
    await expect(portal.getByText('3.65%–4.35%')).toBeVisible()
    await expect(portal.getByText('<script>alert(1)</script>')).toBeVisible()
    await plain.close()
  })

  await test.step('and on the phone', async () => {
    const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
    const h5 = await phone.newPage()
    await h5.goto('/m/products')
    await h5.getByRole('searchbox').fill(name)
    await h5.getByRole('searchbox').press('Enter')
    await expect(h5).toHaveURL(`/m/products?q=${encodeURIComponent(name)}`)
    await expect(h5.getByText(`〔演示〕${name}`).first()).toBeVisible()
    await expect(h5.getByText('〔演示〕运河普惠信用贷')).toHaveCount(0)
    await h5.getByText(`〔演示〕${name}`).first().click()
    await expect(h5.getByText('近六个月流水')).toBeVisible()
    await phone.close()
  })

  await test.step('a change waits beside it, and taking it down hides it', async () => {
    await bank.reload()
    await bank.getByRole('button', { name: '修改为新版本' }).click()
    await bank.getByRole('spinbutton', { name: '年利率上限' }).fill('3.95')
    await bank.getByRole('button', { name: '提交审核' }).click()
    await expect(bank.getByText('企业现在看到的是第 1 版')).toBeVisible()
    await expect(bank.getByRole('cell', { name: '3.65%–3.95%' })).toBeVisible()
    const visitor = await browser.newPage()
    await visitor.goto(`/products/${id}`)
    await expect(visitor.getByText('3.65%–4.35%')).toBeVisible()
    await visitor.close()
    await bank.getByRole('button', { name: '下架第 1 版' }).click()
    await bank.getByRole('button', { name: '产品升级调整' }).click()
    await bank.getByRole('dialog').getByRole('button', { name: '下架产品' }).click()
    await expect(bank.getByRole('button', { name: '下架第 1 版' })).toHaveCount(0)
    expect(await publicly(browser, id)).toEqual([])
  })
})
