import { expect, test, type APIRequestContext } from '@playwright/test'
import { codeOn, noSeriousFinding, picture, send, solve, staff } from './support'

const owner = '19900030011' // of a company with an application at the bank
const clerk = '19900060001'

async function newest(request: APIRequestContext, phone: string): Promise<string> {
  const { sms } = (await (await request.get(`/sandbox/api/phones/${phone}`)).json()) as { sms?: { content: string }[] }
  return /\d{6}/.exec(sms?.[0]?.content ?? '')?.[0] ?? ''
}

test('a bank drafts and sends a contract, the company signs without a script, the bank signs, everybody verifies it', async ({ browser, request }) => {
  test.setTimeout(300_000)
  const company = await (await browser.newContext({ javaScriptEnabled: false, viewport: { width: 1440, height: 900 } })).newPage()
  await company.goto('/login')
  await company.locator('input[name="phone"]').fill(owner)
  await company.locator('input[name="captchaAnswer"]').fill(await solve(company))
  await company.getByRole('button', { name: '获取验证码' }).click()
  await company.locator('input[name="code"]').fill(await codeOn(request, owner))
  await company.getByRole('button', { name: '登录', exact: true }).last().click()
  const mine = (await (await company.request.get('/api/applications?limit=50')).json()) as { items: { id: number; status: string }[] }
  const id = mine.items.find((one) => one.status === 'accepted')!.id
  const bank = await staff(browser, request, 'bank-yunhe-1', clerk)

  await test.step('the bank drafts and sends', async () => {
    await bank.goto(`/admin/applications/${id}`)
    await bank.getByRole('button', { name: '起草合同' }).click()
    const dialog = bank.getByRole('dialog')
    await dialog.getByRole('textbox', { name: '合同名称' }).fill('贷款服务合同')
    await dialog.getByRole('textbox', { name: '合同正文' }).fill('甲方与乙方就本次贷款服务约定如下：贷款金额 50 万元，期限 12 个月。')
    await dialog.getByRole('button', { name: '保存草稿' }).click()
    expect(await (await company.request.get(`/api/case-contracts/application/${id}`)).json()).toMatchObject({ items: [] })
    await bank.getByRole('button', { name: '发送给企业' }).click()
    await bank.getByRole('dialog').getByRole('button', { name: '发送给企业' }).click()
    await expect(bank.getByText('待企业签署').first()).toBeVisible()
  })

  await test.step('the company signs with a code, a wrong one is refused', async () => {
    await company.goto(`/applications/${id}`)
    await company.getByRole('link', { name: '查看并签署合同' }).click()
    const known = await newest(request, owner)
    await company.getByRole('button', { name: '获取验证码' }).click()
    await expect(company.getByText('验证码已发送至')).toBeVisible()
    const code = await codeOn(request, owner, known)
    const field = company.locator('input[name^="code-"]')
    await field.fill(code === '000000' ? '111111' : '000000')
    await company.getByRole('button', { name: '确认签署' }).click()
    await expect(company.getByText(/验证码不正确/).first()).toBeVisible()
    await field.fill(code)
    await company.getByRole('button', { name: '确认签署' }).click()
    await expect(company.getByText('待机构签署').first()).toBeVisible()
  })

  await test.step('the bank signs, and the contract is effective', async () => {
    await bank.reload()
    await bank.getByRole('button', { name: '签署', exact: true }).click()
    const known = await newest(request, clerk)
    await bank.getByRole('button', { name: '获取验证码' }).click()
    await bank.getByRole('textbox', { name: '短信验证码' }).fill(await codeOn(request, clerk, known))
    await bank.getByRole('button', { name: '确认签署' }).click()
    await expect(bank.getByText('已生效').first()).toBeVisible()
    await expect(bank.locator('.el-message')).toHaveCount(0) // it fades, and is pale while it does
    await noSeriousFinding(bank)
    await picture(bank, 'contract')
  })

  await test.step('the company reads it on a phone, and the bank does not agree to void it', async () => {
    const phone = await (await browser.newContext({ storageState: await company.context().storageState(), viewport: { width: 390, height: 844 } })).newPage()
    await phone.goto(`/m/applications/${id}`)
    await phone.getByText('电子合同', { exact: true }).click()
    await expect(phone).toHaveURL(/contracts$/)
    await expect(phone.getByText('贷款金额 50 万元')).toBeVisible()
    await expect(phone.getByText('已生效')).toBeVisible()
    await noSeriousFinding(phone)
    await phone.getByRole('button', { name: '申请作废' }).click()
    await expect(phone.getByText('请填写作废原因')).toBeVisible()
    await phone.getByLabel('作废原因').fill('不再需要贷款')
    await phone.getByRole('button', { name: '申请作废' }).click()
    await phone.getByRole('dialog').getByRole('button', { name: '申请作废' }).click()
    await expect(phone.getByText('企业申请作废此合同：不再需要贷款')).toBeVisible()
    const { items } = (await (await bank.request.get(`/api/case-contracts/application/${id}`)).json()) as { items: { id: number; version: number }[] }
    await send(bank, 'POST', `/api/contracts/${items[0]!.id}/void`, { version: items[0]!.version, yes: false, reason: '贷款已发放' })
    await phone.reload()
    await expect(phone.getByText('企业申请作废此合同')).toHaveCount(0)
    await expect(phone.getByText('已生效')).toBeVisible()
    await picture(phone, 'contract-phone')
    await phone.context().close()
  })

  await test.step('a visitor verifies it, and learns neither names nor content', async () => {
    await company.reload()
    const address = await company.getByRole('link', { name: '核验此合同' }).getAttribute('href')
    const visitor = await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage()
    await visitor.goto(address!)
    await expect(visitor.getByText('有效：合同由双方签署')).toBeVisible()
    await expect(visitor.getByText('50 万元')).toHaveCount(0)
    await noSeriousFinding(visitor)
    await visitor.context().close()
  })
  await bank.context().close()
  await company.context().close()
})
