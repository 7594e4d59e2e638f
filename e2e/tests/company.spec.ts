import { expect, test, type Page } from '@playwright/test'
import { dot, noSeriousFinding, register, send, staff } from './support'

const owner = '13612340991'
const code = '91990000DM00991050'
const before = { name: '北京通州〔演示〕晨露食品有限公司', person: '白晨露' }
const after = { name: '北京通州〔演示〕晨露烘焙有限公司', person: '白露' }

/** Fills inputs by their names. */
async function fill(page: Page, fields: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(fields)) await page.locator(`[name="${name}"]`).fill(value)
}

// 企业负责人：认证 → 补充信息 → 往年数据 → 变更登记 → 画像 → 征信报告；工作人员审核、标注，持报告的人核验。
test('企业的资料、变更登记、画像和征信报告', async ({ browser, request }) => {
  const company = { creditCode: code, established: '2018-03-12', registeredCapital: 200_000_000, industryCode: '1411', address: '临河里街道 8 号', status: '存续', street: '临河里街道' }
  const registry = (it: typeof before) => request.post('/sandbox/api/registry/companies', { data: { ...company, name: it.name, legalPerson: it.person } })
  expect((await registry(before)).ok()).toBeTruthy()
  const desk = await staff(browser, request, 'operator01', '19900020004')
  const field = { key: 'e2ePark', label: '所属园区（浏览器）', kind: 'choice', required: false, options: ['台湖园', '宋庄园'], help: '', unit: '', decimals: 0, maxLength: 0 }
  await send(desk, 'PUT', `/api/enterprise-fields/${field.key}`, { field, group: 'basic', types: [], restricted: false, company: 'fills', sort: 900, retired: false, version: 0 })

  const her = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage()
  await test.step('注册并认证', async () => {
    await her.goto('/m/register')
    await register(her, request, { phone: owner, company: before.name, name: before.person })
    await expect(her.getByText(before.name).first()).toBeVisible()
    await her.goto('/company')
    await fill(her, { name: before.name, creditCode: code, legalPerson: before.person })
    await her.getByRole('button', { name: '提交核验' }).click()
    await expect(her.getByText('认证通过')).toBeVisible()
  })

  await test.step('填写补充信息和往年经营数据', async () => {
    await her.getByLabel('台湖园').check()
    await her.getByRole('button', { name: '保存补充信息' }).click()
    await expect(her.getByText('补充信息已保存')).toBeVisible()
    await expect(her.getByLabel('台湖园')).toBeChecked()
    await her.getByRole('link', { name: '填报往年数据' }).click()
    await fill(her, { revenue: '328.5', employees: '14' })
    await her.getByRole('button', { name: /保存/ }).click()
    await expect(her.locator('[name="revenue"]')).toHaveValue('328.5')
  })

  await test.step('名称和法定代表人一并变更，登记系统尚未更新，转人工审核', async () => {
    await her.goto('/company/change')
    await fill(her, { name: after.name, legalPerson: after.person })
    await her.locator('input[name="licence"]').setInputFiles({ name: '营业执照.png', mimeType: 'image/png', buffer: dot })
    await her.getByRole('button', { name: '提交变更登记' }).click()
    await expect(her.getByText('变更登记等待人工审核')).toBeVisible()
    await noSeriousFinding(her)
  })

  await test.step('工作人员审核通过', async () => {
    await desk.goto('/admin/enterprise-reviews')
    await desk.getByRole('link', { name: before.name, exact: true }).first().click()
    await expect(desk.getByText('新法定代表人')).toBeVisible()
    await expect(desk.getByText(after.name)).toBeVisible()
    await desk.getByRole('button', { name: '通过变更登记' }).click()
    await expect(desk.getByText('已通过变更登记')).toBeVisible()
    await her.reload()
    await expect(her.getByText('变更登记审核通过')).toBeVisible()
    await expect(her.getByRole('table', { name: '法定代表人记录' })).toContainText(before.person)
    await her.goto('/m/company')
    await expect(her.getByText(`曾用名：${before.name}`)).toBeVisible()
  })

  let number = ''
  await test.step('查看画像，生成征信报告', async () => {
    await her.goto('/company/portrait')
    await expect(her.getByRole('heading', { name: `企业画像：${after.name}` })).toBeVisible()
    await expect(her.getByRole('img', { name: /各维度得分：经营稳定 \d+ 分/ })).toBeVisible()
    await expect(her.getByRole('table', { name: /营业收入/ })).toContainText('328.5 万元')
    await noSeriousFinding(her)
    await her.getByRole('link', { name: '生成征信报告' }).click()
    await her.getByRole('button', { name: '生成征信报告' }).click()
    await expect(her).toHaveURL(/\/company\/reports\/ZX\d{8}-[A-Z2-7]{8}$/)
    number = her.url().split('/').pop() ?? ''
    await noSeriousFinding(her)
  })

  await test.step('持报告的人不登录即可核验，改了核验码则不一致', async () => {
    const href = (await her.getByRole('link', { name: '核验这份报告' }).getAttribute('href')) ?? ''
    const visitor = await browser.newPage()
    await visitor.goto(href)
    await expect(visitor.getByText('核验一致')).toBeVisible()
    await expect(visitor.getByText('北京****有限公司')).toBeVisible()
    await expect(visitor.getByText(after.name)).toHaveCount(0)
    await visitor.getByLabel('核验码').fill('0000-0000-0000-0000')
    await visitor.getByRole('button', { name: '核验', exact: true }).click()
    await expect(visitor.getByText('核验不一致')).toBeVisible()
    await visitor.close()
    expect(number).not.toBe('')
  })
})
