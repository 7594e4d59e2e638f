import { expect, test, type Page } from '@playwright/test'
import { claim, dot, noSeriousFinding, picture, register, send, staff } from './support'

const owner = '13612340981'
const code = '91990000DM0098102F'
const company = { name: '北京通州〔演示〕禾谷烘焙有限公司', person: '禾谷' }
const purpose = '更换两台烤箱，备节日原料〔测试〕<b>粗体</b>'

interface Named {
  id: number
  name: string
  institutionName: string
  version: number
}

/** Opens an action of the application that is shown, and gives it its dialog. */
async function act(bank: Page, button: string, fill: (dialog: ReturnType<Page['getByRole']>) => Promise<void>): Promise<void> {
  await bank.getByRole('button', { name: button, exact: true }).first().click()
  const dialog = bank.getByRole('dialog', { name: button })
  await fill(dialog)
  await expect(dialog).toHaveCount(0)
}

// 企业手机端存草稿、提交，门户补正；机构受理、尽调、审批、放款；再申请一件并撤回。
test('a company applies for a loan and mends what it said, the bank grants and pays it; another one is withdrawn', async ({ browser, request }) => {
  test.setTimeout(300_000)
  const listed = { creditCode: code, name: company.name, legalPerson: company.person, established: '2019-05-06', registeredCapital: 100_000_000, industryCode: '1411', address: '临河里街道 10 号', status: '存续', street: '临河里街道' }
  expect((await request.post('/sandbox/api/registry/companies', { data: listed })).ok()).toBeTruthy()
  const offered = ((await (await request.get('/api/products?kind=financing&financing=debt&limit=50')).json()) as { items: Named[] }).items.filter((p) => p.institutionName.includes('运河银行'))
  const [product, other] = [offered.find((p) => p.name.includes('小店安心贷'))!, offered.find((p) => p.name.includes('运河普惠信用贷'))!]

  const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
  const h5 = await phone.newPage()
  await test.step('she registers and verifies the company', async () => {
    await h5.goto('/m/register')
    await register(h5, request, { phone: owner, company: company.name, name: company.person })
    await expect(h5.getByText(company.name).first()).toBeVisible()
    await h5.goto('/m/company/verify')
    await claim(h5, company.name, code, company.person)
    await expect(h5.getByText('已认证').first()).toBeVisible()
  })
  const plain = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, javaScriptEnabled: false, storageState: await phone.storageState() })).newPage()

  await test.step('what she typed on the phone is kept without a button, and is there on the portal', async () => {
    await h5.goto(`/m/products/${product.id}/apply`)
    await expect(h5.getByText('不收取手续费').first()).toBeVisible()
    await h5.locator('input[name="amount"]').fill('30.12345')
    await h5.locator('input[name="term"]').fill('12')
    await h5.getByRole('button', { name: /下一步/ }).click()
    await expect(h5.getByText('最多 4 位小数').first()).toBeVisible()
    await h5.locator('input[name="amount"]').fill('30')
    await h5.getByRole('button', { name: /下一步/ }).click()
    await h5.locator('textarea[name="purpose"]').fill(purpose)
    await h5.getByRole('radio', { name: '否' }).click()
    await expect(h5.getByText(/已保存/)).toBeVisible()
    await plain.goto('/applications')
    await plain.getByRole('link', { name: product.name }).first().click()
    await expect(plain.getByLabel('资金用途')).toHaveValue(purpose)
    await expect(plain.getByText(/草稿保存于/)).toBeVisible()
    await noSeriousFinding(h5)
  })

  let id = 0
  await test.step('two clicks make one application', async () => {
    await h5.getByRole('button', { name: /下一步/ }).click()
    await h5.getByRole('button', { name: /下一步/ }).click()
    await h5.getByRole('button', { name: '提交申请' }).dblclick()
    await expect(h5).toHaveURL(/\/m\/applications\/\d+/)
    id = Number(/applications\/(\d+)/.exec(h5.url())?.[1])
    const mine = (await (await h5.request.get('/api/applications')).json()) as { items: unknown[] }
    expect(mine.items).toHaveLength(1)
    await plain.goto('/applications')
    await expect(plain.getByText('草稿')).toHaveCount(0)
    await expect(h5.getByText('惠企热线').first()).toBeVisible()
  })

  const bank = await staff(browser, request, 'bank-yunhe-1', '19900060001')
  await test.step('the bank reads the hint and asks for what is lacking', async () => {
    await bank.goto(`/admin/applications/${id}`)
    await expect(bank.getByText(purpose)).toBeVisible()
    await act(bank, '要求补正', async (dialog) => {
      await expect(dialog.getByRole('note', { name: '办理提示' })).toBeVisible()
      await dialog.getByRole('textbox', { name: '需要补充的内容' }).fill('是否首贷与征信不一致，请更正，并补充最近三个月流水')
      await dialog.getByRole('button', { name: '通知企业补充' }).click()
    })
    await expect(bank.getByText('待补正').first()).toBeVisible()
  })

  await test.step('she puts her answer right on the portal, without a script, with a file', async () => {
    await plain.goto(`/applications/${id}`)
    await expect(plain.getByText('请更正，并补充最近三个月流水').first()).toBeVisible()
    await expect(plain.getByRole('radio', { name: '否' })).toBeChecked()
    await plain.getByRole('button', { name: '提交补充材料' }).click()
    await expect(plain.getByText('请填写补充说明').first()).toBeVisible()
    await plain.getByRole('radio', { name: '是' }).check()
    await plain.getByLabel('补充说明').fill('已更正，流水见附件')
    await plain.locator('input[type="file"]').setInputFiles({ name: '流水.png', mimeType: 'image/png', buffer: dot })
    await plain.getByRole('button', { name: '提交补充材料' }).click()
    await expect(plain.getByText('补充材料已提交').first()).toBeVisible()
    await expect(plain.getByText('由“否”改为“是”').first()).toBeVisible()
    await expect(plain.getByText('流水.png').first()).toBeVisible()
    await h5.reload()
    await expect(h5.getByText('由“否”改为“是”').first()).toBeVisible()
  })

  await test.step('the bank accepts, takes that back and accepts again; looks into it, grants and pays', async () => {
    await bank.reload()
    await expect(bank.getByText('由“否”改为“是”').first()).toBeVisible()
    const accept = () =>
      act(bank, '受理', async (dialog) => {
        await dialog.getByRole('button', { name: '受理', exact: true }).click()
      })
    await accept()
    await bank.getByRole('button', { name: '撤销“受理申请”' }).click()
    const undo = bank.getByRole('dialog', { name: '撤销“受理申请”' })
    await undo.getByRole('textbox').fill('点错了')
    await undo.getByRole('button', { name: '撤销这一步' }).click()
    await expect(bank.getByText('待受理').first()).toBeVisible()
    await expect(undo).toHaveCount(0)
    await accept()
    await expect(bank.getByText('已受理').first()).toBeVisible()
    await act(bank, '登记尽职调查', async (dialog) => {
      await dialog.getByRole('textbox', { name: '调查人员' }).fill('赵强、钱敏')
      await dialog.getByRole('textbox', { name: '调查情况' }).fill('店面自有，流水与申报一致。')
      await dialog.getByRole('button', { name: '登记尽职调查' }).click()
    })
    await act(bank, '登记审批结果', async (dialog) => {
      await dialog.getByRole('spinbutton', { name: '审批金额，万元' }).fill('25')
      await dialog.getByRole('spinbutton', { name: '年利率，百分数' }).fill('3.85')
      await dialog.getByRole('spinbutton', { name: '期限，月' }).fill('12')
      await dialog.getByRole('button', { name: '登记审批结果' }).click()
    })
    await act(bank, '登记放款', async (dialog) => {
      await dialog.getByRole('spinbutton', { name: '放款金额，万元' }).fill('25')
      await dialog.getByRole('button', { name: '登记放款' }).click()
    })
    await expect(bank.getByText('已放款').first()).toBeVisible()
    await noSeriousFinding(bank)
    await picture(bank, 'application')
  })

  await test.step('she reads amount, rate and term at both ends, what the bank found stays inside', async () => {
    for (const page of [h5, plain]) {
      await page.reload()
      for (const words of ['25 万元', '3.85%', '尽职调查']) await expect(page.getByText(words).first()).toBeVisible()
      await expect(page.getByText('店面自有')).toHaveCount(0)
      await expect(page.getByText('撤销“受理申请”').first()).toBeVisible()
    }
  })

  await test.step('another application is withdrawn on the portal; the bank can do nothing with it any more', async () => {
    await plain.goto(`/products/${other.id}/apply`)
    await plain.getByLabel('申请金额').fill('20')
    await plain.getByLabel('申请期限').fill('12')
    await plain.getByLabel('资金用途').fill('备货')
    await plain.getByRole('button', { name: '提交申请' }).click()
    await expect(plain.getByText('申请已提交').first()).toBeVisible()
    const second = Number(/applications\/(\d+)/.exec(plain.url())?.[1])
    await bank.goto(`/admin/applications/${second}`)
    await bank.getByRole('button', { name: '受理', exact: true }).first().click()
    await plain.getByRole('link', { name: '撤回申请' }).click()
    await plain.getByLabel('撤回原因').fill('暂不需要')
    await plain.getByRole('button', { name: '撤回申请' }).click()
    await expect(plain.getByText('申请已撤回').first()).toBeVisible()
    await expect(bank.getByText('已撤回').first()).toBeVisible() // the open page follows
    await expect(send(bank, 'POST', `/api/applications/${second}/accept`, { version: 1 })).rejects.toThrow(/撤回/)
    await expect(bank.getByRole('button', { name: '受理', exact: true })).toHaveCount(0)
  })

  await bank.context().close()
  await phone.close()
})
