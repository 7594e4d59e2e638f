import { expect, test } from '@playwright/test'
import { noSeriousFinding, picture, register, send, staff } from './support'

const owner = '13612340995'
const offlinePhone = '13612340996'

interface Named {
  id: number
  version: number
}

test('the institution writes to a company that others learn nothing of, a service is recorded once, ratings are public', async ({ browser, request }) => {
  test.setTimeout(180_000)
  const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
  const h5 = await phone.newPage()
  await h5.goto('/m/register')
  await register(h5, request, { phone: owner, company: '通州区青禾面点有限公司〔测试〕', name: '许青' })
  await expect(h5).not.toHaveURL(/register/)

  const bank = await staff(browser, request, 'bank-yunhe-1', '19900060001')
  const cases = (await (await bank.request.get('/api/applications?status=in_progress,accepted&limit=1')).json()) as { items: Named[] }
  const id = cases.items[0]!.id

  await test.step('the operator of the bank writes a note with a number in it, and is warned', async () => {
    await bank.goto(`/admin/applications/${id}`)
    await expect(bank.getByRole('heading', { name: '服务沟通' })).toBeVisible()
    await bank.getByRole('textbox', { name: '消息' }).fill('请联系 13800138000 补充流水')
    await bank.getByRole('button', { name: '发送', exact: true }).click()
    await bank.getByRole('button', { name: '回去修改' }).click()
    await bank.getByRole('textbox', { name: '消息' }).fill('请在平台补充近三个月流水')
    await bank.getByRole('button', { name: '发送', exact: true }).click()
    await expect(bank.getByText('请在平台补充近三个月流水')).toBeVisible()
    await expect(bank.getByText('企业未读')).toBeVisible()
    await noSeriousFinding(bank)
    await picture(bank, 'conversation')
  })

  await test.step('another company learns nothing of it', async () => {
    for (const path of [`/api/conversations/application/${id}`, `/api/evidence/application/${id}`, `/api/evaluation-subjects/application/${id}`]) {
      expect((await h5.request.get(path)).status(), path).toBe(404)
    }
  })

  await test.step('a service given without the platform is recorded once and waits for the company', async () => {
    const operator = await staff(browser, request, 'operator01', '19900020004')
    const companies = (await (await operator.request.get('/api/enterprises?limit=50')).json()) as { items: { creditCode?: string }[] }
    const code = companies.items.map((c) => c.creditCode ?? '').find((c) => c.length === 18)!
    const products = (await (await operator.request.get('/api/products?limit=1')).json()) as { items: Named[] }
    const body = { creditCode: code, productId: products.items[0]!.id, day: new Date(Date.now() - 86_400_000).toISOString().slice(0, 10), place: '新华西街企业会议室', persons: '双方经办人', content: '上门讲解办理要求', phone: offlinePhone, sure: true }
    const made = await send<{ id: number; state: string }>(operator, 'POST', '/api/offline-services', body)
    expect(made.state).toBe('waiting')
    await expect(send(operator, 'POST', '/api/offline-services', body)).rejects.toThrow(/已登记/)
    await operator.goto('/admin/offline-services')
    await expect(operator.getByText('待企业确认').first()).toBeVisible()
    await noSeriousFinding(operator)
    await operator.context().close()
  })

  await test.step('the rating of a product is read by everybody, without a script', async () => {
    const plain = await (await browser.newContext({ javaScriptEnabled: false })).newPage()
    const rated = (await (await request.get('/api/products?limit=50')).json()) as { items: Named[] }
    for (const { id: product } of rated.items) {
      const { count } = (await (await request.get(`/api/product-ratings/${product}`)).json()) as { count: number }
      if (!count) continue
      await plain.goto(`/products/${product}`)
      await plain.getByRole('link', { name: /条评价/ }).first().click()
      await expect(plain.getByRole('heading', { name: /的服务评价/ })).toBeVisible()
      await expect(plain.getByText(/平均 \d\.\d\d 分/)).toBeVisible()
      break
    }
    await plain.context().close()
  })

  await bank.context().close()
  await phone.close()
})
