import { expect, test, type Browser, type Locator, type Page } from '@playwright/test'
import { noSeriousFinding, staff } from './support'

/** A person of the back office without a mouse: one would be noticed. */
async function without(browser: Browser, request: Parameters<typeof staff>[1], account: string, phone: string): Promise<Page> {
  const page = await staff(browser, request, account, phone)
  await page.addInitScript(() => {
    for (const kind of ['mousedown', 'click']) {
      window.addEventListener(kind, (e) => {
        if ((e as MouseEvent).detail > 0) document.documentElement.dataset['mouse'] = 'used'
      }, true)
    }
  })
  return page
}

/** Presses Tab until the caret is at what is meant. */
async function tabTo(page: Page, target: Locator, most = 40): Promise<void> {
  await expect(target).toBeAttached()
  for (let i = 0; i < most; i++) {
    await page.keyboard.press('Tab')
    if (await target.evaluate((e) => e === document.activeElement)) return
  }
  throw new Error(`${most} times Tab, and the caret is not at ${String(target)}`)
}

/**
 * What can be clicked on the page and not be reached with the keyboard, as "element text": a listener for clicks, or the hand
 * as pointer, on what takes no caret and stands in nothing that does. Rows of lists have j, k and Enter; heads of columns
 * listen for an order that these lists do not have, tags for what nobody asks of them (a chip has a button of its own); the cross that empties a field does what Delete
 * does, the signs beside a number what the arrows do.
 */
async function outOfReach(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const takesCaret = 'button, a[href], input, select, textarea, summary, label, [tabindex="0"]'
    const composite = '.el-tag, [role="tablist"], [role="radiogroup"], [role="menu"], [role="menubar"], [role="listbox"], .el-select, .el-date-editor, .el-table__row, th:not(.is-sortable), .el-input__clear, .el-input-number, .el-overlay'
    const found: string[] = []
    for (const e of document.querySelectorAll<HTMLElement>('body *')) {
      if (e.getClientRects().length === 0) continue
      const vue = Object.getOwnPropertySymbols(e).map((s) => (e as unknown as Record<symbol, unknown>)[s])
      const listens = vue.some((v) => typeof v === 'object' && v !== null && 'onClick' in v)
      const hand = getComputedStyle(e).cursor === 'pointer' && e.parentElement && getComputedStyle(e.parentElement).cursor !== 'pointer'
      if ((!listens && !hand) || e.closest(takesCaret) || e.closest(composite)) continue
      found.push(`${e.tagName.toLowerCase()}.${e.className} ${e.innerText?.trim().slice(0, 30)}`)
    }
    return [...new Set(found)]
  })
}

/** Opens a row of the list beside it; no key is taken while the list is read. */
async function openRow(page: Page): Promise<Locator> {
  const panel = page.getByRole('complementary')
  await expect(async () => {
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await expect(panel).toBeVisible({ timeout: 3_000 })
  }).toPass()
  return panel
}

async function inReach(page: Page): Promise<void> {
  expect(await outOfReach(page)).toEqual([])
  await expect(page.locator('html')).not.toHaveAttribute('data-mouse', 'used')
}

test('an agent works through menu, list, call-back and knowledge base without a mouse', async ({ browser, request }) => {
  const agent = await without(browser, request, 'agent', '19900000001')
  const keys = agent.keyboard

  await test.step('the menu is one stop: the arrows go to a page, and Tab goes on in it', async () => {
    await agent.goto('/admin/')
    await expect(agent.getByRole('heading', { name: /您好/ })).toBeVisible()
    await inReach(agent)
    const menu = agent.getByRole('navigation', { name: '主菜单' })
    await tabTo(agent, menu.locator('[tabindex="0"]'))
    await keys.press('Home')
    for (let i = 0; i < 20; i++) {
      await keys.press('ArrowDown')
      if (await menu.getByRole('menuitem', { name: '工单列表', exact: true }).evaluate((e) => e === document.activeElement)) break
    }
    await keys.press('Enter')
    await expect(agent).toHaveURL(/\/admin\/tickets/)
    await expect(agent.getByRole('main')).toBeFocused()
  })

  await test.step('the list: filters, rows, what stands beside, back again', async () => {
    await expect(agent.locator('.el-table__row').first()).toBeVisible()
    await inReach(agent)
    await keys.press('/')
    await keys.insertText('停电')
    await keys.press('Enter')
    await expect(agent.getByText('关键词：停电')).toBeVisible()
    await agent.evaluate(() => (document.activeElement as HTMLElement).blur())
    const panel = await openRow(agent)
    await expect(panel.locator('.body.hq-scroll')).toBeFocused()
    await inReach(agent)
    await keys.press('Tab')
    expect(await panel.evaluate((e) => e.contains(document.activeElement))).toBe(true)
    await keys.press('Escape')
    await expect(panel).toBeHidden()
    expect(await agent.getByRole('main').evaluate((e) => e.contains(document.activeElement))).toBe(true)
  })

  await test.step('the palette leads to the call-backs: one is taken, filled in and put back', async () => {
    await keys.press('Control+k')
    await expect(agent.getByRole('combobox', { name: '搜索页面和操作' })).toBeFocused()
    await keys.insertText('回访')
    await keys.press('Enter')
    await expect(agent.getByRole('heading', { name: '回访', exact: true })).toBeVisible()
    const card = agent.locator('article.card')
    await expect(async () => {
      if (!(await card.isVisible())) await keys.press('l') // no key is taken while the palette fades
      await expect(card).toBeVisible({ timeout: 3_000 })
    }).toPass()
    await expect(card).toBeFocused()
    await keys.press('y')
    await keys.press('5')
    await expect(agent.getByRole('radio', { name: '已解决' })).toBeChecked()
    await inReach(agent)
    await tabTo(agent, agent.getByRole('button', { name: '放回队列' }))
    await keys.press('Enter')
    await expect(card).toBeHidden()
  })

  await test.step('the knowledge base: an entry beside the list is reported, and the caret is where it was', async () => {
    await agent.goto('/admin/knowledge?state=published')
    await expect(agent.locator('.el-table__row').first()).toBeVisible()
    await inReach(agent)
    const panel = await openRow(agent)
    await tabTo(agent, panel.getByRole('button', { name: '反馈有误' }))
    await keys.press('Enter')
    const dialog = agent.getByRole('dialog', { name: '反馈有误' })
    await expect(dialog.getByRole('textbox')).toBeFocused()
    await inReach(agent)
    await keys.press('Escape')
    await expect(dialog).toBeHidden()
    await expect(panel.getByRole('button', { name: '反馈有误' })).toBeFocused()
    await keys.press('Escape')
    await expect(panel).toBeHidden()
  })
})

test('a lead goes from the alarm to its tickets, and scores, without a mouse', async ({ browser, request }) => {
  const lead = await without(browser, request, 'lead', '19900020013')
  const keys = lead.keyboard

  await test.step('the wallboard says the alarm; Enter leads to the tickets that made it', async () => {
    await lead.goto('/admin/supervision/wallboard')
    await expect(lead.getByRole('alert')).toContainText('停水停电')
    await inReach(lead)
    await tabTo(lead, lead.getByRole('link', { name: '查看并确认' }))
    await keys.press('Enter')
    const panel = lead.getByRole('complementary')
    await expect(panel.getByRole('link', { name: /^GD/ })).toHaveCount(6)
    await inReach(lead)
    await noSeriousFinding(lead)
    await tabTo(lead, panel.getByRole('button', { name: '确认预警' }))
    await keys.press('Enter')
    const dialog = lead.getByRole('dialog', { name: '确认预警' })
    await expect(dialog.getByRole('textbox', { name: '处置说明' })).toBeFocused()
    await keys.press('Escape')
    await expect(dialog).toBeHidden()
    await expect(panel.getByRole('button', { name: '确认预警' })).toBeFocused()
  })

  await test.step('a check is opened from the list, and its sheet filled in', async () => {
    await lead.goto('/admin/quality/checks?state=waiting')
    await expect(lead.locator('.el-table__row').first()).toBeVisible()
    await inReach(lead)
    await expect(async () => {
      await keys.press('j')
      await keys.press('Enter')
      await expect(lead.getByRole('heading', { name: '质检单' })).toBeVisible({ timeout: 3_000 })
    }).toPass()
    await expect(lead.getByText('待评分')).toBeVisible()
    await inReach(lead)
    await tabTo(lead, lead.getByRole('spinbutton').first())
    await keys.press('ArrowDown')
    await tabTo(lead, lead.getByRole('textbox', { name: /扣分原因/ }).first())
    await keys.insertText('开头语不完整')
    await tabTo(lead, lead.getByRole('checkbox').first())
    await keys.press('Space')
    await expect(lead.getByText('合计 0 分')).toBeVisible()
    await keys.press('Space')
    await tabTo(lead, lead.getByRole('textbox', { name: '总体评语' }))
    await keys.insertText('解答准确，开头语请按规范。')
    await tabTo(lead, lead.getByRole('button', { name: '提交评分' }))
    await keys.press('Enter')
    await expect(lead.getByText('95 分')).toBeVisible()
  })

  await test.step('reports: the list opens one, and it can be printed', async () => {
    await lead.goto('/admin/supervision/reports')
    await expect(lead.locator('.el-table__row').first()).toBeVisible()
    await inReach(lead)
    await tabTo(lead, lead.getByRole('link', { name: /热线运行日报/ }).first())
    await keys.press('Enter')
    await expect(lead.getByRole('article')).toContainText('数据不再变动')
    await inReach(lead)
    await noSeriousFinding(lead)
    await tabTo(lead, lead.getByRole('button', { name: '打印' }))
  })
})
