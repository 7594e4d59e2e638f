import { expect, test, type Page } from '@playwright/test'
import { noSeriousFinding, picture, staff } from './support'

/** Counts what the hand does: every key that is pressed or typed. Chinese is typed as an input method hands it over, one act a text. */
class Hand {
  keys = 0
  constructor(private readonly page: Page) {}

  async press(key: string): Promise<void> {
    this.keys++
    await this.page.keyboard.press(key)
  }

  async type(text: string): Promise<void> {
    if (/^[\x20-\x7e]*$/.test(text)) {
      this.keys += text.length
      await this.page.keyboard.type(text)
    } else {
      this.keys++
      await this.page.keyboard.insertText(text)
    }
  }
}

test('a caller is answered with the keyboard alone', async ({ browser, request }) => {
  const agent = await staff(browser, request, 'agent', '19900000001')
  // From here on a mouse would be noticed.
  await agent.addInitScript(() => {
    for (const kind of ['mousedown', 'click']) {
      window.addEventListener(kind, (e) => {
        if ((e as MouseEvent).detail > 0) document.documentElement.dataset['mouse'] = 'used'
      }, true)
    }
  })
  await agent.goto('/admin/desk')
  const hand = new Hand(agent)
  const phone = agent.getByRole('textbox', { name: '来电号码' })

  await test.step('she writes the call down, answers and closes it in one act', async () => {
    await expect(phone).toBeFocused()
    await hand.type('13612340987')
    await expect(agent.getByText('没有此前的工单')).toBeVisible()
    await hand.press('Tab')
    await hand.type('王芳')
    await hand.press('Tab')
    await hand.press('Tab') // no company
    await hand.type('tstd') // 停水停电停气停热
    await expect(agent.getByRole('option').first()).toContainText('停水停电')
    await hand.press('Enter')
    await hand.press('Tab')
    await hand.type('门店上午停电，想知道什么时候恢复。')
    await hand.press('F4')
    await expect(agent.getByLabel('检索知识库', { exact: true })).toBeFocused()
    await hand.type('停电')
    await expect(agent.getByRole('option').first()).toContainText('停电')
    await hand.press('Enter')
    await expect(agent.getByRole('textbox', { name: '答复内容' })).not.toHaveValue('')
    await picture(agent, 'desk')
    await noSeriousFinding(agent)
    await hand.press('F8')
    await expect(agent.getByRole('heading', { name: '已答复并办结' })).toBeVisible()
    console.log(`keystrokes of one call: ${hand.keys}`)
    // Eleven of them are the number; a person needs fewer than three dozen.
    expect(hand.keys).toBeLessThan(36)
    await expect(agent.locator('html')).not.toHaveAttribute('data-mouse', 'used')
  })

  await test.step('the caller rings again: the ticket is there, and what was typed outlives the page', async () => {
    await hand.press('Enter') // the button has the focus
    await expect(phone).toBeFocused()
    await hand.type('13612340987')
    await expect(agent.locator('.caller')).toContainText('门店上午停电')
    await expect(agent.getByRole('textbox', { name: '联系人' })).toHaveValue('王芳')
    await expect(agent.getByText('草稿已保存')).toBeVisible()
    await agent.reload()
    await expect(agent.getByText(/已恢复.*草稿/)).toBeVisible()
    await expect(phone).toHaveValue('13612340987')
  })

  await test.step('in the list she claims, notes and answers by single keys', async () => {
    await agent.goto('/admin/tickets?queue=free&sort=urgency')
    await expect(agent.locator('.el-table__row').first()).toBeVisible()
    const panel = agent.getByRole('complementary')
    // Rows that arrive with the counters of the views take the mark from the line.
    await expect(async () => {
      await hand.press('j')
      await hand.press('Enter')
      await expect(panel.getByRole('button', { name: '领取', exact: true })).toBeVisible({ timeout: 3_000 })
    }).toPass()
    await hand.press('c')
    await expect(panel.getByText('（本人）')).toBeVisible()
    await hand.press('n')
    await expect(panel.getByRole('textbox', { name: '备注内容' })).toBeFocused()
    await hand.type('已电话核实')
    await hand.press('Control+Enter')
    await expect(panel.getByText('已电话核实').first()).toBeVisible()
    await hand.press('Escape')
    await hand.press('/')
    await expect(agent.getByRole('textbox', { name: '关键词' })).toBeFocused()
    await expect(agent.locator('html')).not.toHaveAttribute('data-mouse', 'used')
  })
})

test('every page of the desk says whose it is, and on a narrow one the filters are folded', async ({ browser, request }) => {
  const agent = await staff(browser, request, 'agent', '19900000001')
  const mark = agent.locator('svg.watermark pattern text').first()

  await test.step('the mark lies over the page with organisation, name, the end of the number and the time', async () => {
    for (const path of ['/admin/desk', '/admin/tickets', '/admin/tickets/1', '/admin/callbacks']) {
      await agent.goto(path)
      await expect(mark).toHaveText(/^\S+ .+〔演示〕 0001 \d{4}年\d{1,2}月\d{1,2}日 \d{2}:\d{2}$/)
      // It is in nobody's way: what lies below it takes the pointer.
      expect(await agent.evaluate(() => document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.closest('.watermark'))).toBeNull()
    }
  })

  await test.step('the filters are behind a button, by the keyboard too, and stay as they were left', async () => {
    await agent.setViewportSize({ width: 390, height: 844 })
    await agent.goto('/admin/tickets?urgency=critical')
    const button = agent.locator('button.fold')
    const words = agent.getByRole('textbox', { name: '关键词' })
    await expect(button).toHaveText('筛选（1）')
    await expect(words).toBeHidden()
    await expect(agent.locator('.el-table')).toBeInViewport()
    await picture(agent, 'tickets-narrow')
    await noSeriousFinding(agent)
    await button.focus()
    await agent.keyboard.press('Enter')
    await expect(words).toBeVisible()
    await agent.reload()
    await expect(words).toBeVisible()
    await words.fill('停电')
    await words.press('Enter')
    await expect(words).toBeHidden()
    await expect(button).toHaveText('筛选（2）')
    await expect(button).toBeFocused()
    await agent.keyboard.press('/')
    await expect(words).toBeFocused()
    await agent.setViewportSize({ width: 1440, height: 900 })
  })
})
