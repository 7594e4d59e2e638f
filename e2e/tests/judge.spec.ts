import { expect, test } from '@playwright/test'
import { dot, noSeriousFinding, picture, send, staff } from './support'

const caller = '13612340988'

interface Ticket {
  id: number
  number: string
  version: number
  status: string
}

test('a caller without an account judges by the link of a text message, and reads what the desk has them know', async ({ browser, request }) => {
  test.setTimeout(360_000)
  const lead = await staff(browser, request, 'lead', '19900020013')
  await test.step('the lead writes a hint for the page of the link, with a picture and a link', async () => {
    await lead.goto('/admin/system/ticket-hints')
    await expect(lead.getByText('先联系企业，再反馈。').first()).toBeVisible()
    await lead.getByRole('tab', { name: '诉求人看到的' }).click()
    await lead.reload() // the tab is in the address
    await lead.getByRole('button', { name: '设置“短信评价”的提示' }).click()
    const dialog = lead.getByRole('dialog')
    await dialog.getByRole('textbox', { name: '提示文字' }).fill('如实评价即可，<b>不影响</b>您办事。')
    await dialog.getByRole('textbox', { name: '链接文字' }).fill('评价说明')
    await dialog.getByRole('textbox', { name: '链接地址' }).fill('javascript:alert(1)')
    await dialog.locator('input[type="file"]').setInputFiles({ name: '说明.png', mimeType: 'image/png', buffer: dot })
    await dialog.getByRole('button', { name: '保存' }).click()
    await expect(dialog).toContainText('链接须以 https:// 开头')
    await expect(dialog).toContainText('请填写图片说明')
    await dialog.getByRole('textbox', { name: '链接地址' }).fill('/help')
    await dialog.getByRole('textbox', { name: '图片说明' }).fill('五档满意程度')
    await noSeriousFinding(lead) // with the mouse over a button
    await picture(lead, 'hint')
    // What was typed is not lost by a slip of the hand.
    await dialog.getByRole('button', { name: '取消' }).click()
    await lead.getByRole('dialog', { name: '放弃修改' }).getByRole('button', { name: '取消' }).click()
    await dialog.getByRole('button', { name: '保存' }).click()
    await expect(lead.getByText('已保存，下次打开该步骤时生效')).toBeVisible()
    await expect(lead.getByRole('row', { name: /短信评价/ })).toContainText('图片：五档满意程度')
  })

  const { ticket, unit } = await test.step('the call is written down and dispatched', async () => {
    const made = await send<Ticket>(lead, 'POST', '/api/tickets', { type: '070102', title: '门前垃圾三天没有清运', body: '新华西街商铺门前垃圾堆放三天。', contactName: '赵敏', phone: caller, source: 'agent' })
    const units = (await (await lead.request.get('/api/ticket-units')).json()) as { items: { id: number; name: string }[] }
    const unit = units.items.find((u) => u.name.includes('城市管理'))!
    await send(lead, 'POST', `/api/tickets/${made.id}/dispatch`, { version: made.version, unitId: unit.id })
    return { ticket: made, unit }
  })

  await test.step('the unit reads the hint of each step and replies', async () => {
    const dept = await staff(browser, request, 'chengguan', '19900000002')
    await dept.goto(`/admin/tickets/${ticket.id}`)
    await expect(dept.getByRole('note', { name: '办理提示' })).toContainText('签收前请核对是否属于本单位职责')
    await dept.getByRole('button', { name: '签收', exact: true }).first().click()
    await dept.getByRole('button', { name: '反馈', exact: true }).first().click()
    await expect(dept.getByRole('dialog').getByRole('note', { name: '办理提示' })).toContainText('先联系企业，再反馈')
    await dept.getByRole('textbox', { name: '办理结果' }).fill('已清运，并增加每日一次巡查。')
    await dept.getByRole('button', { name: '提交反馈' }).click()
    await expect(dept.getByText('待回访').first()).toBeVisible()
    await dept.context().close()
  })

  await test.step('the caller judges on the phone, without a script and without an account', async () => {
    let link = ''
    await expect
      .poll(
        async () => {
          const answer = await request.get(`/sandbox/api/phones/${caller}`)
          const box = (answer.ok() ? await answer.json() : {}) as { sms?: { content: string }[] }
          link = box.sms?.map((m) => /\/j\/[\w-]+/.exec(m.content)?.[0] ?? '').find(Boolean) ?? ''
          return link
        },
        { timeout: 150_000 }, // a phone is sent one message a minute, and the receipt came first
      )
      .not.toBe('')
    const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, javaScriptEnabled: false })
    const page = await phone.newPage()
    await page.goto(link)
    await expect(page.getByText('已清运，并增加每日一次巡查。')).toBeVisible()
    await expect(page.getByText('赵敏')).toHaveCount(0)
    const hint = page.getByRole('note')
    await expect(hint).toContainText('如实评价即可，<b>不影响</b>您办事。')
    await expect(hint.getByRole('img', { name: '五档满意程度' })).toBeVisible()
    await expect(hint.getByRole('link', { name: '评价说明' })).toHaveAttribute('href', '/help')
    await page.getByRole('button', { name: '提交评价' }).click()
    await expect(page.getByRole('alert')).toBeVisible()
    await picture(page, 'judge-390')
    await page.getByRole('group', { name: /是否与您联系过/ }).getByLabel('没有联系').check()
    await page.getByRole('group', { name: /问题是否解决/ }).getByLabel('没有解决').check()
    await page.getByRole('group', { name: /您对办理结果满意吗/ }).getByLabel('不满意', { exact: true }).check()
    await page.getByRole('group', { name: /需要改进的方面/ }).getByLabel('问题没解决').check()
    await page.getByLabel('意见建议').fill('下午又堆起来了')
    await page.getByRole('button', { name: '提交评价' }).click()
    await expect(page.getByRole('heading', { name: '评价已提交，感谢您的反馈' })).toBeVisible()
    await page.goto(link) // once only
    await expect(page.getByRole('heading', { name: '现在不能评价' })).toBeVisible()
    expect((await page.request.get('/j/AAAAAAAAAAAAAAAAAAAAAA')).status()).toBe(404)
    await phone.close()
    // With scripts the page is looked at for barriers.
    const seeing = await browser.newPage()
    await seeing.goto(link)
    await noSeriousFinding(seeing)
    await seeing.close()
  })

  await test.step('it counts as the call-back: the ticket is done again at the same unit', async () => {
    await lead.goto(`/admin/tickets/${ticket.id}`)
    await expect(lead.getByText('待签收').first()).toBeVisible()
    await expect(lead.getByText(/问题没解决\s+下午又堆起来了/).first()).toBeVisible()
    const now = (await (await lead.request.get(`/api/tickets/${ticket.id}`)).json()) as Ticket & { unitName: string }
    expect(now).toMatchObject({ status: 'dispatched', unitName: unit.name })
  })
})
