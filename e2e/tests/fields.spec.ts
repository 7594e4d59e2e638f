import { expect, test } from '@playwright/test'

import { choose, codeOn, noSeriousFinding, solve, staff } from './support'

const owner = '19900030001'

test('an administrator asks something of applications, a company answers it without a script, the desk finds it', async ({ browser, request }) => {
  test.setTimeout(300_000)
  const operator = await staff(browser, request, 'operator01', '19900020004')
  const label = '需认证人数'

  await test.step('the field is defined for one kind of products', async () => {
    await operator.goto('/admin/extra-fields')
    await expect(operator.getByText('抵押物类型').first()).toBeVisible()
    await noSeriousFinding(operator)
    await operator.getByRole('button', { name: '新增申请字段' }).click()
    const dialog = operator.getByRole('dialog')
    await dialog.getByRole('textbox', { name: '名称' }).fill(label)
    await dialog.getByRole('textbox', { name: '标识' }).fill('heads')
    await choose(operator, '类型', '数字')
    await dialog.getByRole('textbox', { name: '单位' }).fill('人')
    await dialog.getByRole('switch', { name: '必填' }).locator('..').click()
    await choose(operator, '适用类别', '资质认证')
    await operator.keyboard.press('Escape')
    await dialog.getByRole('button', { name: '保存' }).click()
    await expect(operator.getByRole('row').filter({ hasText: label })).toContainText('数字（人）')
  })

  const offered = (await (await request.get('/api/products?kind=certification')).json()) as { items: { id: number }[] }
  const product = offered.items[0]!.id
  let number = ''

  await test.step('a company answers it', async () => {
    const company = await (await browser.newContext({ javaScriptEnabled: false, viewport: { width: 1440, height: 900 } })).newPage()
    await company.goto('/login')
    await company.locator('input[name="phone"]').fill(owner)
    await company.locator('input[name="captchaAnswer"]').fill(await solve(company))
    await company.getByRole('button', { name: '获取验证码' }).click()
    await company.locator('input[name="code"]').fill(await codeOn(request, owner))
    await company.getByRole('button', { name: '登录', exact: true }).last().click()
    await company.goto(`/products/${product}/apply`)
    await company.getByLabel('需求说明').fill('申请质量管理体系认证')
    await company.getByRole('button', { name: '提交申请' }).click()
    await expect(company.getByText(`请填写${label}`).first()).toBeVisible()
    await company.locator('input[name="fields.heads"]').fill('十二')
    await company.getByRole('button', { name: '提交申请' }).click()
    await expect(company.getByText(`${label}应为数字，以人为单位`).first()).toBeVisible()
    await expect(company.locator('input[name="fields.heads"]')).toHaveValue('十二')
    await company.locator('input[name="fields.heads"]').fill('12')
    await company.getByRole('button', { name: '提交申请' }).click()
    await expect(company.getByText('12 人')).toBeVisible()
    number = /SQ\d{8}-\d{6}/.exec((await company.locator('main').textContent()) ?? '')?.[0] ?? ''
    expect(number).not.toBe('')
    await company.context().close()
  })

  await test.step('the desk finds it by the answer', async () => {
    await operator.goto('/admin/applications?extra=' + encodeURIComponent('heads:10..'))
    await expect(operator.getByText(number)).toBeVisible()
    await operator.goto('/admin/applications?extra=' + encodeURIComponent('heads:20..'))
    await expect(operator.getByText(number)).toHaveCount(0)
  })
})
