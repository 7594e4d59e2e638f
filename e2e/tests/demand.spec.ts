import { expect, test } from '@playwright/test'
import { choose, noSeriousFinding, picture, register, staff } from './support'

const owner = '13612340993'
const code = '91990000DM0099306E'
const company = { name: '北京通州〔演示〕春禾面业有限公司', person: '春禾' }
const title = '购置和面机需要周转〔测试〕<b>粗体</b>'

interface Offer {
  name: string
  amountMin: number
  amountMax: number
  termMin: number
  termMax: number
}

const day = (n: number) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10)

// 企业发布需求 → 运营审核 → 机构报价 → 企业选定 → 生成申请；企业一侧全程不用脚本。
test('a need is posted, approved, quoted for and picked, and becomes an application', async ({ browser, request }) => {
  test.setTimeout(240_000)
  const listed = { creditCode: code, name: company.name, legalPerson: company.person, established: '2019-05-06', registeredCapital: 100_000_000, industryCode: '1411', address: '临河里街道 9 号', status: '存续', street: '临河里街道' }
  expect((await request.post('/sandbox/api/registry/companies', { data: listed })).ok()).toBeTruthy()
  const first = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  const her = await first.newPage()
  await her.goto('/m/register')
  await register(her, request, { phone: owner, company: company.name, name: company.person })
  await expect(her.getByText(company.name).first()).toBeVisible()
  await her.goto('/company')
  for (const [name, value] of Object.entries({ name: company.name, creditCode: code, legalPerson: company.person })) await her.locator(`[name="${name}"]`).fill(value)
  await her.getByRole('button', { name: '提交核验' }).click()
  await expect(her.getByText('认证通过')).toBeVisible()
  const plain = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, javaScriptEnabled: false, storageState: await first.storageState() })).newPage()

  let id = ''
  await test.step('she posts it without a script; what is wrong is said at its input and nothing is lost', async () => {
    await plain.goto('/demands')
    await plain.getByRole('link', { name: '需求大厅' }).first().click()
    await plain.getByRole('link', { name: '发布需求' }).first().click()
    await plain.getByLabel('需求类别').selectOption('financing')
    await plain.getByLabel('需求标题').fill(title)
    await plain.getByLabel('需求说明').fill('订单增加，购置和面机两台，需要流动资金周转。')
    await plain.getByLabel('预算上限或融资金额').fill('50.12345')
    await plain.getByLabel('使用期限').fill('12')
    await plain.getByLabel('报价截止日期').fill(day(10))
    await plain.getByLabel('希望完成日期').fill(day(5))
    await plain.getByRole('button', { name: '提交审核' }).click()
    await expect(plain.getByText('最多 4 位小数').first()).toBeVisible()
    await expect(plain.getByText('不能早于报价截止日期').first()).toBeVisible()
    await expect(plain.getByLabel('需求标题')).toHaveValue(title)
    await plain.getByLabel('预算上限或融资金额').fill('50')
    await plain.getByLabel('希望完成日期').fill(day(30))
    await plain.getByRole('button', { name: '提交审核' }).click()
    await expect(plain.getByText('需求已提交')).toBeVisible()
    id = /demands\/(\d+)/.exec(plain.url())?.[1] ?? ''
    expect((await request.get(`/api/demand-hall/${id}`)).status()).toBe(404)
  })

  await test.step('the operator sees who would be invited and why, and approves', async () => {
    const operator = await staff(browser, request, 'operator01', '19900020004')
    await operator.goto(`/admin/demand-reviews?open=${id}`)
    await expect(operator.getByText(title).first()).toBeVisible()
    await noSeriousFinding(operator)
    await operator.getByRole('button', { name: '审核通过' }).click()
    await expect(operator.getByText(/与需求类别一致/).first()).toBeVisible()
    await picture(operator, 'demand-review')
    await operator.getByRole('dialog').getByRole('button', { name: '审核通过' }).click()
    await expect(operator.getByText('进入需求大厅').first()).toBeVisible()
    await operator.context().close()
  })

  await test.step('everybody reads it in the hall, the name of the company nobody', async () => {
    const visitor = await (await browser.newContext({ javaScriptEnabled: false })).newPage()
    await visitor.goto('/demands?kind=financing&q=' + encodeURIComponent('和面机'))
    await visitor.getByRole('link', { name: title }).click()
    await expect(visitor.getByRole('heading', { name: title })).toBeVisible()
    await expect(visitor.getByText('企业未公开名称').first()).toBeVisible()
    await expect(visitor.getByText(company.name)).toHaveCount(0)
    await visitor.context().close()
  })

  await test.step('the bank is invited and quotes', async () => {
    const bank = await staff(browser, request, 'bank-yunhe-1', '19900060001')
    let offers: Offer[] = []
    await expect
      .poll(async () => {
        const seen = (await (await bank.request.get(`/api/demand-hall/${id}`)).json()) as { invited: boolean; products: Offer[] }
        offers = seen.products
        return seen.invited
      })
      .toBe(true)
    const offer = offers.find((o) => o.amountMin <= 50_0000_00 && (!o.amountMax || o.amountMax >= 50_0000_00) && o.termMin <= 12 && (!o.termMax || o.termMax >= 12))!
    await bank.goto(`/admin/demand-hall?open=${id}`)
    await bank.getByRole('button', { name: '报价', exact: true }).click()
    await choose(bank, '产品', offer.name)
    await bank.getByRole('textbox', { name: '可提供金额' }).fill('50')
    await bank.getByRole('textbox', { name: '年利率或费率' }).fill('3.655')
    await bank.getByRole('textbox', { name: '期限' }).fill('12')
    await bank.getByRole('textbox', { name: '报价说明' }).fill('信用方式，三个工作日内审批')
    await bank.getByRole('button', { name: '提交报价' }).click()
    await expect(bank.getByText('最多 2 位小数').first()).toBeVisible()
    await bank.getByRole('textbox', { name: '年利率或费率' }).fill('3.65')
    await bank.getByRole('button', { name: '提交报价' }).click()
    await expect(bank.getByText('3.65%').first()).toBeVisible()
    await noSeriousFinding(bank)
    await picture(bank, 'demand-quote')
    await bank.goto('/admin/my-quotes')
    await expect(bank.getByText(title).first()).toBeVisible()
    await bank.context().close()
  })

  await test.step('she compares, picks, and finds the application', async () => {
    await plain.goto(`/my/demands/${id}`)
    await expect(plain.getByRole('cell', { name: '3.65%' })).toBeVisible()
    await plain.getByRole('link', { name: '选定这家' }).click()
    await expect(plain.getByText('选定后不能更换')).toBeVisible()
    await plain.getByRole('button', { name: '选定并提交申请' }).click()
    await expect(plain.getByText('已选定报价并生成申请').first()).toBeVisible()
    await plain.getByRole('link', { name: '查看申请' }).click()
    await expect(plain.getByText('待受理').first()).toBeVisible()
    await expect(plain.getByRole('heading', { name: '来自需求' })).toBeVisible()
    expect((await request.get(`/api/demand-hall/${id}`)).status()).toBe(404)
    // The same on the phone.
    await her.setViewportSize({ width: 390, height: 844 })
    await her.goto(`/m/my/demands/${id}`)
    await expect(her.getByText('已选定').first()).toBeVisible()
    await noSeriousFinding(her)
  })

  await first.close()
  await plain.context().close()
})
