import { expect, type APIRequestContext, type Browser, type Page, test } from '@playwright/test'

const password = 'Tongzhou-2026-demo'
const name = '烘焙贷'

/** The newest code on a sandbox phone. */
async function codeOn(request: APIRequestContext, phone: string): Promise<string> {
  let code = ''
  await expect
    .poll(async () => {
      const answer = await request.get(`/sandbox/api/phones/${phone}`)
      if (!answer.ok()) return ''
      const body = (await answer.json()) as { sms?: { content: string }[] }
      code = /\d{6}/.exec(body.sms?.[0]?.content ?? '')?.[0] ?? ''
      return code
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

/** Opens a drop-down by its frame, as a mouse does, and takes an entry. */
async function choose(page: Page, label: string, entry: string): Promise<void> {
  await page.locator('.el-select').filter({ has: page.getByRole('combobox', { name: label }) }).click()
  await page.getByRole('option', { name: entry }).click()
}

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

  const bank = await staff(browser, request, 'bank-yunhe-1', '19900060001')
  await test.step('an operator of the bank writes and submits it', async () => {
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
    await bank.getByRole('textbox', { name: '申请材料' }).fill('营业执照\n近六个月流水')
    await bank.getByRole('textbox', { name: '办理流程' }).fill('在线申请\n银行受理\n签约放款')
    await bank.getByRole('button', { name: '提交审核' }).click()
    await expect(bank.getByText('待初审').first()).toBeVisible()
    id = /products\/(\d+)/.exec(bank.url())?.[1] ?? ''
    expect(id).not.toBe('')
    expect(await publicly(browser, id)).toEqual([])
  })

  await test.step('the platform passes it on', async () => {
    const operator = await staff(browser, request, 'operator01', '19900020004')
    await operator.goto('/admin/product-reviews?q=' + encodeURIComponent(name))
    await operator.getByText(`〔演示〕${name}`).first().click()
    await operator.getByRole('button', { name: '初审通过' }).first().click()
    await operator.getByRole('dialog').getByRole('button', { name: '通过初审' }).click()
    await expect(operator.getByText('没有符合条件的记录')).toBeVisible()
    await operator.context().close()
    expect(await publicly(browser, id)).toEqual([])
  })

  await test.step('the government lists it', async () => {
    const reviewer = await staff(browser, request, 'reviewer02', '19900020018')
    await reviewer.goto('/admin/product-reviews?q=' + encodeURIComponent(name))
    await reviewer.getByText(`〔演示〕${name}`).first().click()
    await reviewer.getByRole('button', { name: '终审通过并上架' }).first().click()
    await reviewer.getByRole('dialog').getByRole('button', { name: '通过并上架' }).click()
    await expect(reviewer.getByText('没有符合条件的记录')).toBeVisible()
    await reviewer.context().close()
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
