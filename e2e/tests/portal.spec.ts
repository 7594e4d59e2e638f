import { expect, type Page, test } from '@playwright/test'

import { findings, picture, staff } from './support'

/** Every public page of the portal. An address with a heading's text leads to the first entry of that list. */
const pages = [
  '/',
  '/policies',
  '/policies/match?q=' + encodeURIComponent('烘焙店更换设备有没有补助'),
  '/products',
  '/products?kind=financing',
  '/news',
  '/news?column=reading&page=1',
  '/notices',
  '/help',
  '/search?q=' + encodeURIComponent('贷款'),
  '/search?q=' + encodeURIComponent('查无此词语'),
  '/search?q=' + encodeURIComponent('贷'),
  '/login',
  '/register',
  '/privacy',
  '/accessibility',
  '/sitemap',
  '/nothing-here',
]

async function entries(page: Page): Promise<string[]> {
  const found: string[] = []
  for (const list of ['/policies', '/products', '/news', '/notices', '/help']) {
    await page.goto(list)
    const links = await page.locator('main a').evaluateAll((all) => all.map((a) => a.getAttribute('href') ?? ''))
    found.push(links.find((href) => new RegExp(`^${list}/\\d+$`).test(href)) ?? '')
  }
  expect(found).not.toContain('')
  return found
}

/** The rules of axe that look at how a page is drawn: all that 长者模式 can break. */
const drawn = ['color-contrast', 'link-in-text-block', 'target-size', 'scrollable-region-focusable', 'meta-viewport']

for (const elder of ['0', '1']) {
  test(`every public page is accessible and fits a phone${elder === '1' ? ', in 长者模式 too' : ''}`, async ({ browser }) => {
    test.setTimeout(300_000) // dozens of pages, each under axe
    const wide = await browser.newContext({ viewport: { width: 1440, height: 900 } })
    const phone = await browser.newContext({ viewport: { width: 390, height: 844 } })
    const desk = await wide.newPage()
    const hand = await phone.newPage()
    for (const page of [desk, hand]) await page.goto(`/elder?on=${elder}&return=/`)
    for (const path of [...pages, ...(await entries(desk))]) {
      await Promise.all([desk.goto(path), hand.goto(path)])
      const serious = await findings(desk, elder === '1' ? drawn : undefined)
      expect(serious.map((finding) => `${path}: ${finding}`)).toEqual([])
      const over = await hand.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      expect(over, `${path} is wider than a phone`).toBeLessThanOrEqual(0)
    }
    await wide.close()
    await phone.close()
  })
}

test('news and search work without a script', async ({ browser }) => {
  const plain = await browser.newContext({ javaScriptEnabled: false })
  const page = await plain.newPage()
  await page.goto('/')
  await picture(page, 'portal')
  await page.getByRole('searchbox').fill('贷款')
  await page.getByRole('button', { name: '搜索' }).click()
  await expect(page.getByRole('heading', { level: 1 })).toContainText('贷款')
  await expect(page.locator('mark').first()).toHaveText('贷款')
  await page.getByRole('link', { name: /^帮助/ }).first().click()
  await expect(page).toHaveURL(/in=help/)
  await page.goto('/news')
  await page.getByRole('link', { name: '政策解读', exact: true }).first().click()
  await expect(page).toHaveURL(/column=reading/)
  await page.locator('.feed a').first().click()
  await expect(page.locator('meta[name="ArticleTitle"]')).toHaveCount(1)
  await expect(page.locator('meta[name="PubDate"]')).toHaveAttribute('content', /^\d{4}-\d\d-\d\d \d\d:\d\d$/)
  await plain.close()
})

test('an article is written, let out by a second person, and taken down', async ({ browser, request }) => {
  test.setTimeout(120_000)
  const title = '面包房贷款故事征集<b>加粗</b>'
  const writer = await staff(browser, request, 'operator02', '19900020005')
  await writer.goto('/admin/articles/new')
  await writer.getByRole('combobox', { name: '栏目' }).press('Enter')
  await writer.getByRole('option', { name: '企业故事' }).click()
  await writer.getByRole('textbox', { name: '标题' }).fill(title)
  await writer.getByRole('textbox', { name: '来源' }).fill('区企业服务中心')
  await writer.getByRole('textbox', { name: '正文' }).fill('征集真实的创业故事。\n# 怎样参加\n1. 写下经历\n2. [提交诉求](/tickets/new)')
  await expect(writer.getByRole('region', { name: '门户显示效果' }).getByRole('heading', { name: '怎样参加' })).toBeVisible()
  await writer.getByRole('button', { name: '提交审核' }).click()
  await expect(writer.getByText('待审核').first()).toBeVisible()
  const id = /articles\/(\d+)/.exec(writer.url())?.[1] ?? ''
  expect((await request.get(`/news/${id}`)).status()).toBe(404)

  const editor = await staff(browser, request, 'editor01', '19900020006')
  await editor.getByRole('link', { name: title }).click()
  await editor.getByRole('button', { name: '审核发布' }).click()
  await editor.getByRole('dialog').getByRole('button', { name: '审核发布' }).click()
  await expect(editor.getByText('已发布').first()).toBeVisible()

  const reader = await browser.newPage()
  await reader.goto('/search?q=' + encodeURIComponent('故事征集'))
  await reader.locator('main .feed a').first().click()
  await expect(reader.getByRole('heading', { level: 1 })).toHaveText(title)
  await expect(reader.locator('.prose ol li')).toHaveCount(2)
  await reader.goto(`/m/news/${id}`)
  await expect(reader.getByRole('heading', { name: '怎样参加' })).toBeVisible()

  await editor.getByRole('button', { name: '撤下' }).click()
  await editor.getByRole('dialog').getByRole('textbox').fill('征集已经结束')
  await editor.getByRole('dialog').getByRole('button', { name: '撤下' }).click()
  await expect(editor.getByText('已撤下').first()).toBeVisible()
  expect((await request.get(`/news/${id}`)).status()).toBe(404)
})
