import { expect, test, type Page } from '@playwright/test'
import { claim, dot, noSeriousFinding, picture, register, send, staff } from './support'

const owner = '13612341002'
const code = '91990000DM00982025'
const company = { name: '北京通州〔演示〕溪田糕点有限公司', person: '溪田' }
const wish = '每月约 60 张票据，原会计离职，请先把账套接过来〔测试〕<b>粗体</b>'

interface Named {
  id: number
  name: string
  institutionName: string
}

/** A day from today on, as the form writes it. */
const inDays = (n: number) => new Date(Date.now() + n * 86_400_000 + 8 * 3_600_000).toISOString().slice(0, 10)

/** No page of hers is wider than its screen. */
async function fits(page: Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0)
}

// 企业手机端申请服务产品；机构受理、登记方案、完成一步、交付，撤销一步再交付；企业门户提异议、手机端确认并评价。
test('a company applies for a service, the firm plans and delivers it, a step is undone, she objects, confirms and rates', async ({ browser, request }) => {
  test.setTimeout(300_000)
  const listed = { creditCode: code, name: company.name, legalPerson: company.person, established: '2020-03-02', registeredCapital: 50_000_000, industryCode: '1411', address: '临河里街道 12 号', status: '存续', street: '临河里街道' }
  expect((await request.post('/sandbox/api/registry/companies', { data: listed })).ok()).toBeTruthy()
  const offered = ((await (await request.get('/api/products?kind=tax&limit=50')).json()) as { items: Named[] }).items
  const product = offered.find((p) => p.name.includes('代理记账') && p.institutionName.includes('明'))!

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

  let id = 0
  await test.step('she finds the service and applies: no amount is asked for, but what she needs', async () => {
    await h5.goto('/m/products?kind=tax')
    await expect(h5.getByText(product.name).first()).toBeVisible()
    await fits(h5)
    await h5.goto(`/m/products/${product.id}/apply`)
    await expect(h5.locator('input[name="amount"]')).toHaveCount(0)
    await h5.getByRole('button', { name: /下一步/ }).click()
    await expect(h5.getByText(/请填写需求说明/).first()).toBeVisible()
    await h5.locator('textarea[name="purpose"]').fill(wish)
    await h5.getByRole('button', { name: /下一步/ }).click()
    await h5.getByRole('button', { name: /下一步/ }).click()
    await h5.getByRole('button', { name: '提交申请' }).dblclick()
    await expect(h5).toHaveURL(/\/m\/applications\/\d+/)
    id = Number(/applications\/(\d+)/.exec(h5.url())?.[1])
    await expect(h5.getByText('待受理').first()).toBeVisible()
    await noSeriousFinding(h5)
    await fits(h5)
  })

  const firm = await staff(browser, request, 'tax-mingshu-1', '19900060014')
  const act = async (button: string, fill: (dialog: ReturnType<Page['getByRole']>) => Promise<void>, title = button) => {
    await firm.getByRole('button', { name: button, exact: true }).first().click()
    const dialog = firm.getByRole('dialog', { name: title })
    await fill(dialog)
    await expect(dialog).toHaveCount(0)
  }
  await test.step('the firm accepts and plans: two steps, the second no sooner than the first', async () => {
    await firm.goto(`/admin/applications/${id}`)
    await expect(firm.getByText(wish)).toBeVisible()
    await expect(firm.getByRole('button', { name: '登记审批结果' })).toHaveCount(0) // that is for money
    await act('受理', (dialog) => dialog.getByRole('button', { name: '受理', exact: true }).click(), '受理申请')
    await expect(firm.getByText('已受理').first()).toBeVisible()
    await act('登记服务方案', async (dialog) => {
      await dialog.getByRole('textbox', { name: '第 1 步的内容' }).fill('接收账套和凭证')
      await dialog.getByRole('textbox', { name: '第 1 步的交付成果' }).fill('交接清单')
      await dialog.getByRole('combobox', { name: '第 1 步的完成日期' }).fill(inDays(9))
      await dialog.getByRole('combobox', { name: '第 1 步的完成日期' }).press('Enter')
      await dialog.getByRole('button', { name: '添加步骤' }).click()
      await dialog.getByRole('textbox', { name: '第 2 步的内容' }).fill('首月记账和申报')
      await dialog.getByRole('combobox', { name: '第 2 步的完成日期' }).fill(inDays(3))
      await dialog.getByRole('combobox', { name: '第 2 步的完成日期' }).press('Enter')
      await dialog.getByRole('button', { name: '登记服务方案' }).click()
      await expect(dialog.getByText('第 2 步的完成日期不能早于上一步')).toBeVisible()
      await dialog.getByRole('combobox', { name: '第 2 步的完成日期' }).fill(inDays(20))
      await dialog.getByRole('combobox', { name: '第 2 步的完成日期' }).press('Enter')
      await dialog.getByRole('button', { name: '登记服务方案' }).click()
    })
    await expect(firm.getByText('办理中').first()).toBeVisible()
  })

  await test.step('she reads the plan at both ends; the open page follows when a step is done', async () => {
    await plain.goto(`/applications/${id}`)
    for (const words of ['接收账套和凭证', '交接清单', '首月记账和申报']) await expect(plain.getByText(words).first()).toBeVisible()
    await fits(plain)
    await h5.goto(`/m/applications/${id}`)
    await expect(h5.getByText('接收账套和凭证').first()).toBeVisible()
    await act(
      '完成一步',
      async (dialog) => {
        await dialog.getByRole('textbox', { name: '完成情况' }).fill('账套已接收，共 36 个月')
        await dialog.getByRole('button', { name: '登记完成' }).click()
      },
      '完成方案的一步',
    )
    await expect(h5.getByText('账套已接收，共 36 个月').first()).toBeVisible()
    await expect(h5.getByText('已完成').first()).toBeVisible()
    await fits(h5)
  })

  const deliver = (note: string, file?: string) =>
    act(
      '登记交付',
      async (dialog) => {
        await dialog.getByRole('textbox', { name: '交付说明' }).fill(note)
        if (file) {
          await dialog.locator('input[type="file"]').setInputFiles({ name: file, mimeType: 'image/png', buffer: dot })
          await expect(dialog.getByText(file)).toBeVisible()
          await expect(dialog.getByText(/上传中|正在/)).toHaveCount(0)
        }
        await dialog.getByRole('button', { name: '登记交付' }).click()
      },
      '登记交付',
    )
  await test.step('it is delivered too soon and taken back: the plan is as it was, both sides read why', async () => {
    await deliver('首月账已记好')
    await expect(h5.getByRole('heading', { name: '确认交付' })).toBeVisible()
    await firm.getByRole('button', { name: /^撤销“/ }).click()
    const undo = firm.getByRole('dialog', { name: /^撤销“/ })
    await undo.getByRole('textbox').fill('登记早了，申报还没有完成')
    await undo.getByRole('button', { name: '撤销这一步' }).click()
    await expect(undo).toHaveCount(0)
    await expect(firm.getByText('办理中').first()).toBeVisible()
    await expect(firm.getByRole('button', { name: '登记交付' })).toBeVisible()
    await expect(h5.getByRole('heading', { name: '确认交付' })).toHaveCount(0)
    await expect(h5.getByText('登记早了，申报还没有完成').first()).toBeVisible()
    const state = (await (await h5.request.get(`/api/applications/${id}`)).json()) as { plan: { steps: { doneAt?: string }[] } }
    expect(state.plan.steps.map((step) => Boolean(step.doneAt))).toEqual([true, false])
  })

  await test.step('it is delivered with a file; she objects on the portal without a script, and only with a reason', async () => {
    await deliver('首月账已记好，申报回执见附件', '申报回执.png')
    await expect(firm.getByText('待确认').first()).toBeVisible()
    await plain.goto(`/applications/${id}`)
    await expect(plain.getByText('申报回执.png').first()).toBeVisible()
    await plain.getByRole('button', { name: '提出异议' }).click()
    await expect(plain.getByText(/请.*(写明|填写)/).first()).toBeVisible()
    await plain.getByLabel('说明').fill('少了个人所得税的申报')
    await plain.getByRole('button', { name: '提出异议' }).click()
    await expect(plain.getByText('异议已提交').first()).toBeVisible()
    await expect(firm.getByText('少了个人所得税的申报').first()).toBeVisible()
    await expect(firm.getByText('办理中').first()).toBeVisible()
    await fits(plain)
  })

  await test.step('it is delivered again and she confirms on the phone; nothing is left to do for the firm', async () => {
    await firm.reload()
    await deliver('个税已补报')
    await h5.reload()
    await noSeriousFinding(h5)
    await h5.getByRole('button', { name: '确认交付' }).click()
    await h5.getByRole('dialog').getByRole('button', { name: '确认交付' }).click()
    await expect(h5.getByText('已办结').first()).toBeVisible()
    await expect(firm.getByText('已办结').first()).toBeVisible()
    for (const button of ['登记交付', '完成一步', '登记进展', '不予通过']) await expect(firm.getByRole('button', { name: button, exact: true })).toHaveCount(0)
    await expect(send(firm, 'POST', `/api/applications/${id}/deliver`, { version: 99, note: '再交付一次' })).rejects.toThrow(/办结/)
    await picture(firm, 'service')
  })

  await test.step('she is asked for a rating: a level first, then what belongs to it', async () => {
    await h5.getByText('请评价').click()
    await expect(h5).toHaveURL(/\/evaluation$/)
    await h5.getByRole('button', { name: '提交评价' }).click()
    await expect(h5.getByText('请选择满意程度。')).toBeVisible()
    await h5.getByRole('radio', { name: '非常不满意' }).click()
    await h5.getByRole('button', { name: '提交评价' }).click()
    await expect(h5.getByText('请写明具体情况，至少 5 个字。')).toBeVisible()
    await h5.getByRole('radio', { name: '满意', exact: true }).click()
    await h5.getByRole('button', { name: '专业', exact: true }).click()
    await h5.locator('textarea[name="words"]').fill('第一次漏了个税，补报及时')
    await noSeriousFinding(h5)
    await fits(h5)
    await h5.getByRole('button', { name: '提交评价' }).click()
    await expect(h5.getByText('第一次漏了个税，补报及时').first()).toBeVisible()
    await expect(h5.getByRole('button', { name: '提交评价' })).toHaveCount(0)
    await fits(h5)
  })

  await test.step('on the portal she changes it once, without a script; everybody reads it there, without her name', async () => {
    await plain.goto(`/applications/${id}/evaluation`)
    await plain.getByRole('link', { name: '修改评价' }).click()
    await plain.getByRole('link', { name: '非常满意' }).click()
    await plain.getByLabel('具体意见').fill('补报及时，讲得明白')
    await plain.getByRole('button', { name: /保存|提交/ }).click()
    await expect(plain.getByText('补报及时，讲得明白').first()).toBeVisible()
    await expect(plain.getByRole('link', { name: '修改评价' })).toHaveCount(0)
    await plain.goto(`/products/${product.id}/evaluations`)
    await expect(plain.getByText('补报及时，讲得明白').first()).toBeVisible()
    await fits(plain)
    await plain.goto(`/products/${product.id}`)
    await expect(plain.getByRole('link', { name: /条评价/ }).first()).toBeVisible() // beside the product
    const shown = await (await request.get(`/products/${product.id}/evaluations`)).text() // as a visitor reads it
    expect(shown).toContain('补报及时，讲得明白')
    expect(shown).not.toContain(company.name)
  })

  await firm.context().close()
  await phone.close()
})
