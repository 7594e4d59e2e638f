import { createRequire } from 'node:module'
import { expect, test } from '@playwright/test'
import { noSeriousFinding, picture, send, staff } from './support'

/** The public client of Open311, in its JSON mode. */
interface Client {
  serviceDiscovery(options: { cache: boolean; type: string }, done: Done<{ endpoints: { url: string }[] }>): void
  serviceList(done: Done<{ service_code: string; metadata: boolean }[]>): void
  serviceDefinition(code: string, done: Done<{ service_code: string }>): void
  submitRequest(data: Record<string, unknown>, done: Done<{ service_request_id: string }[]>): void
  serviceRequests(id: string | string[], params: Record<string, string>, done: Done<{ service_request_id: string; status: string; description: string }[]>): void
  apiKey: string
}
type Done<T> = (error: unknown, answer: T) => void
const Open311 = createRequire(import.meta.url)('open311') as new (options: object) => Client

const ask = <T>(call: (done: Done<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => call((error, answer) => (error ? reject(new Error(`${String(error)}: ${JSON.stringify(answer)}`)) : resolve(answer))))

test('whoever connects a system finds the interface, and the report it shows is taken', async ({ browser, request, baseURL }) => {
  const operator = await staff(browser, request, 'operator02', '19900020005')
  const key = await send<{ plain: string }>(operator, 'POST', '/api/open311/keys', { partner: '街巷巡查系统' })
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage()
  await page.goto('/help')
  await page.getByRole('link', { name: '查看对接说明' }).click()
  await expect(page.getByRole('heading', { name: 'Open311 开放接口' })).toBeVisible()
  await expect(page.getByRole('row', { name: /市政设施损坏/ })).toContainText('公开')
  await noSeriousFinding(page)
  await picture(page, 'open311-page')

  const command = (await page.getByLabel('提交诉求的命令').textContent()) ?? ''
  const form = Object.fromEntries([...command.matchAll(/--data-urlencode '([^=]+)=([^']*)'/g)].map((m) => [m[1] ?? '', m[2] ?? '']))
  expect(form['service_code']).toBeTruthy()
  const address = /curl '([^']+)'/.exec(command)?.[1] ?? ''
  expect(address).toBe(`${baseURL}/open311/v2/requests.xml`)
  const refused = await request.post(address, { form })
  expect(refused.status(), 'the key is still to be filled in').toBe(403)
  const taken = await request.post(address, { form: { ...form, api_key: key.plain } })
  expect(await taken.text()).toMatch(/<service_request_id>GD\d{8}-\d{6}<\/service_request_id>/)
  for (const link of await page.locator('main a[href*="/open311/"]').all()) {
    expect((await request.get((await link.getAttribute('href')) ?? '')).status()).toBe(200)
  }
  await page.setViewportSize({ width: 390, height: 844 })
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
  await noSeriousFinding(page)
})

test('a partner reports with the public client of Open311; a letter becomes a ticket and its sender is told', async ({ browser, request, baseURL }) => {
  await request.post('/sandbox/api/mailbox/inbox', { data: { name: '陈晨', from: 'chenchen@example.com', subject: '楼下停水', text: '今天上午起停水，影响开店。' } })
  const operator = await staff(browser, request, 'operator02', '19900020005')
  await operator.goto('/admin/system/open311')
  await expect(operator.getByText('〔演示〕通州城市管家小程序')).toBeVisible()
  await noSeriousFinding(operator)
  await picture(operator, 'open311')
  await operator.getByRole('button', { name: '签发密钥' }).click()
  const dialog = operator.getByRole('dialog', { name: '签发密钥' })
  await dialog.getByRole('textbox', { name: '对接方名称' }).fill('随手拍')
  await dialog.getByText('先核实：').click()
  await dialog.getByRole('button', { name: '签发密钥' }).click()
  const shown = operator.getByRole('dialog', { name: '新的 Open311 密钥' })
  const key = (await shown.locator('code').textContent()) ?? ''
  expect(key).toMatch(/^o311_/)

  const client = new Open311({ discovery: `${baseURL}/open311/discovery.json`, apiKey: key })
  const found = await ask((done: Done<{ endpoints: { url: string }[] }>) => client.serviceDiscovery({ cache: true, type: 'test' }, done))
  expect(found.endpoints[0]?.url).toBe(`${baseURL}/open311/v2`)
  const services = await ask((done: Done<{ service_code: string; metadata: boolean }[]>) => client.serviceList(done))
  expect(services.map((s) => s.service_code)).toContain('050203')
  expect((await ask((done: Done<{ service_code: string }>) => client.serviceDefinition('050203', done))).service_code).toBe('050203')
  const [made] = await ask((done: Done<{ service_request_id: string }[]>) =>
    client.submitRequest({ service_code: '050203', description: '路口护栏被撞坏', lat: 39.9, long: 116.65, attributes: { pole: 'A-17' }, phone: '13800138077' }, done),
  )
  const number = made?.service_request_id ?? ''
  expect(number).toMatch(/^GD\d{8}-\d{6}$/)
  type Listed = { service_request_id: string; status: string; description: string }[]
  const [one] = await ask((done: Done<Listed>) => client.serviceRequests(number, {}, done))
  expect(one).toMatchObject({ service_request_id: number, status: 'open', description: '收到一件“市政设施损坏”类诉求' })
  const list = await ask((done: Done<Listed>) => client.serviceRequests([number], {}, done))
  expect(list).toHaveLength(1)
  client.apiKey = 'o311_wrong'
  await expect(ask((done: Done<unknown>) => client.submitRequest({ service_code: '050203', description: '再来一次' }, done as Done<{ service_request_id: string }[]>))).rejects.toThrow('403')

  const agent = await staff(browser, request, 'agent', '19900000001')
  await agent.goto('/admin/tickets/inbox')
  const letter = agent.getByText('楼下停水')
  await expect(async () => {
    await agent.getByRole('button', { name: '查询' }).click()
    await expect(letter).toBeVisible({ timeout: 1000 })
  }).toPass({ timeout: 40_000 })
  await letter.click()
  await expect(agent.getByText('今天上午起停水，影响开店。')).toBeVisible()
  await noSeriousFinding(agent)
  await picture(agent, 'inbox')
  await agent.getByRole('button', { name: '转为工单' }).click()
  const form = agent.getByRole('dialog', { name: '转为工单' })
  await form.locator('.el-select').first().click()
  await agent.getByRole('option', { name: '政策咨询', exact: true }).click()
  await picture(agent, 'make-ticket')
  await form.getByRole('button', { name: '转为工单' }).click()
  await expect(agent.getByText(/已转为工单 GD/)).toBeVisible()
  await expect
    .poll(async () => {
      const box = (await (await request.get('/sandbox/api/mailbox')).json()) as { items: { to: string; text: string }[] }
      return box.items.filter((m) => m.to.includes('chenchen@example.com') && /查询码：\d{6}/.test(m.text)).length
    })
    .toBe(1)
})
