import { expect, test, type Page } from '@playwright/test'
import { dot, noSeriousFinding, register, send, staff } from './support'

const applicant = '13612341031'
const helper = '13612341032'
const code = '91990000DM00983054'
const firm = '北京通州〔演示〕溪畔律师事务所'
const inAYear = new Date(Date.now() + 365 * 86_400_000).toISOString().slice(0, 10)

/** No page of the phone is wider than its screen. */
async function fits(page: Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0)
}

// 手机端申请入驻 → 退回补正 → 重新提交 → 初审 → 终审 → 机构管理员首次登录、开通操作员。
test('a firm applies on the phone, is sent back once, passes two reviews, and its administrator opens an account for a colleague', async ({ browser, request }) => {
  test.setTimeout(300_000)
  const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
  const h5 = await phone.newPage()
  const field = (name: string) => h5.locator(`[name="${name}"]`)
  let id = 0
  let number = ''

  await test.step('she registers, and an application without anything in it says what is missing, each at its input', async () => {
    await h5.goto('/m/register')
    await register(h5, request, { phone: applicant, company: firm, name: '溪畔' })
    await expect(h5).not.toHaveURL(/register/)
    await h5.goto('/m/institutions/apply')
    await expect(h5.getByText('银行、担保、律师事务所等服务机构可以申请入驻')).toBeVisible()
    await h5.getByRole('button', { name: '提交申请' }).click()
    for (const words of ['请选择机构类型', /请填写机构名称/, /请填写服务内容/, /请填写管理员账号/]) await expect(h5.getByText(words).first()).toBeVisible()
    await fits(h5)
    await noSeriousFinding(h5)
  })

  await test.step('what she typed is kept as a draft, and is there on the portal without a script', async () => {
    await field('kind').selectOption('law')
    const typed = { name: firm, creditCode: code, legalPerson: '溪畔', phone: '010-60000031', address: '临河里街道 31 号', summary: '劳动用工与合同服务。', offers: '为小微企业审查合同。', contactName: '溪畔', contactPhone: applicant, account: 'xipan' }
    for (const [name, value] of Object.entries(typed)) await field(name).fill(value)
    await h5.getByRole('button', { name: '保存草稿' }).click()
    await expect(h5.getByText('草稿已保存').first()).toBeVisible()
    await h5.reload()
    await expect(field('offers')).toHaveValue(typed.offers)
    const plain = await (await browser.newContext({ javaScriptEnabled: false, storageState: await phone.storageState() })).newPage()
    await plain.goto('/institutions/apply')
    await expect(plain.locator('[name="offers"]')).toHaveValue(typed.offers)
    await plain.context().close()
  })

  await test.step('a licence that is over is refused, one that holds is taken; the number is shown', async () => {
    await field('docName').fill('执业许可证')
    await field('docNo').fill('演示311号')
    await field('docTo').fill('2020-01-01')
    await h5.locator('input[type="file"]').last().setInputFiles({ name: '许可证.png', mimeType: 'image/png', buffer: dot })
    await expect(h5.getByRole('button', { name: '移除 许可证.png' })).toBeVisible()
    await h5.getByRole('button', { name: '添加证照' }).click()
    await expect(h5.getByText('该证照已过有效期').first()).toBeVisible()
    await field('docTo').fill(inAYear)
    await h5.getByRole('button', { name: '添加证照' }).click()
    await expect(h5.getByRole('button', { name: '移除执业许可证' })).toBeVisible()
    await h5.getByRole('button', { name: '提交申请' }).dblclick()
    await expect(h5.getByText(/^RZ\d{8}-\d{6}$/).first()).toBeVisible()
    number = await h5.getByText(/^RZ\d{8}-\d{6}$/).first().innerText()
    await expect(h5.getByText('待初审').first()).toBeVisible()
    id = ((await (await h5.request.get('/api/onboarding')).json()) as { application: { id: number } }).application.id
    await fits(h5)
    await noSeriousFinding(h5)
  })

  const operator = await staff(browser, request, 'operator01', '19900020004')
  await test.step('the platform sends it back with a reason; she reads it, changes one thing and sends it again', async () => {
    await operator.goto(`/admin/institution-applications?open=${id}`)
    await expect(operator.getByText(number).first()).toBeVisible()
    await operator.getByRole('button', { name: '退回补正' }).click()
    const dialog = operator.getByRole('dialog', { name: '退回补正' })
    await dialog.getByText('服务内容填写不具体').first().click()
    await dialog.getByRole('textbox', { name: '说明' }).fill('请写明收费标准')
    await dialog.getByRole('button', { name: /退回/ }).click()
    await expect(operator.getByText('已退回').first()).toBeVisible()
    await h5.reload()
    await expect(h5.getByText('请写明收费标准').first()).toBeVisible()
    await field('offers').fill('为小微企业审查合同，每件 200 元。')
    await h5.getByRole('button', { name: '提交申请' }).click()
    await expect(h5.getByText('第 2 次提交')).toBeVisible()
    await expect(h5.getByText(number).first()).toBeVisible() // the same number
    await fits(h5)
  })

  let password = ''
  await test.step('it passes both reviews, each by another person, who sees what was changed', async () => {
    await operator.goto(`/admin/institution-applications?open=${id}`)
    await expect(operator.getByText('每件 200 元').first()).toBeVisible()
    await operator.getByRole('button', { name: '初审通过' }).click()
    await operator.locator('.el-message-box').getByRole('button', { name: '初审通过' }).click()
    await expect(operator.getByText('已转政府终审')).toBeVisible()
    await expect(send(operator, 'POST', `/api/institution-applications/${id}/approve`, { version: 99 })).rejects.toThrow()
    const reviewer = await staff(browser, request, 'reviewer02', '19900020018')
    await reviewer.goto(`/admin/institution-applications?open=${id}`)
    await reviewer.getByRole('button', { name: '终审通过' }).click()
    await reviewer.locator('.el-message-box').getByRole('button', { name: '终审通过' }).click()
    const issued = reviewer.getByRole('dialog', { name: '首次登录的密码只显示这一次' })
    password = (await issued.locator('code').innerText()).trim()
    await issued.getByRole('button', { name: '已记下，关闭' }).click()
    await reviewer.context().close()
  })

  await test.step('she signs in as the administrator, changes the password first, and opens an account for a colleague', async () => {
    const admin = await staff(browser, request, 'xipan', applicant, { password, heading: '我的账号' })
    await admin.getByLabel('当前密码').fill(password)
    const change = async (to: string) => {
      await admin.getByLabel('新密码', { exact: true }).fill(to)
      await admin.getByLabel('再填一次新密码').fill(to)
      await admin.getByRole('button', { name: '修改密码' }).click()
    }
    await change('Xipan-2026-xin')
    await expect(admin.getByText('密码不能包含账号')).toBeVisible()
    await change('Linhe-2026-xin')
    await expect(admin.getByText('密码已修改')).toBeVisible()
    await admin.goto('/admin/institution-operators')
    await admin.getByRole('button', { name: '开通操作员' }).click()
    const dialog = admin.getByRole('dialog', { name: '开通操作员' })
    await dialog.getByRole('textbox', { name: '姓名' }).fill('溪助理')
    await dialog.getByRole('textbox', { name: '账号' }).fill('xipan.zhuli')
    await dialog.getByRole('textbox', { name: '手机号' }).fill(helper)
    await dialog.locator('.el-radio').last().click()
    await dialog.getByRole('button', { name: '开通', exact: true }).click()
    await admin.getByRole('button', { name: '已记下，关闭' }).click()
    await expect(admin.getByRole('row').filter({ hasText: 'xipan.zhuli' })).toBeVisible()
    await noSeriousFinding(admin)
    // The firm is known to companies, and another institution's administrator reads nothing of it.
    const bank = await staff(browser, request, 'bank-yunhe-1', '19900060001')
    expect((await bank.request.get(`/api/institution-applications/${id}`)).status()).toBeGreaterThanOrEqual(403)
    const { items } = (await (await bank.request.get('/api/institution-operators')).json()) as { items: { account: string }[] }
    expect(items.map((one) => one.account)).not.toContain('xipan.zhuli')
    await bank.context().close()
    await admin.context().close()
  })

  await operator.context().close()
  await phone.close()
})
