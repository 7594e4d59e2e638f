import { execFileSync } from 'node:child_process'
import { expect, type APIRequestContext, test } from '@playwright/test'
import { claim, dot, noSeriousFinding, picture, register, staff, writeLoan, listLoan, passLoan } from './support'

const owner = '13812345699'
const bakery = { name: '北京通州〔演示〕麦田香烘焙有限公司', code: '91990000MADM00430Q', person: '潘军波' }
const loan = '烤箱更新贷'
const matter = '店门口路灯不亮🙏'
const partner = 'city-hotline'

interface Told {
  sms: { content: string }[]
  wechat: { title: string; data: unknown }[]
}

interface Arrival {
  id: string
  type: string
  subject: string
  sequence: string
  signatureOk: boolean
  bodySha256: string
  status: number
}

async function fault(request: APIRequestContext, target: string, mode: string, count = 0): Promise<void> {
  const answer = await request.post('/sandbox/api/faults', { data: { target, mode, count, delayMs: 0 } })
  expect(answer.ok()).toBeTruthy()
}

/** What the sandbox phone of the owner shows. */
async function told(request: APIRequestContext): Promise<Told> {
  return (await (await request.get(`/sandbox/api/phones/${owner}`)).json()) as Told
}

/** What the inbox of the partner holds, or of all partners. */
async function inbox(request: APIRequestContext, of = partner): Promise<Arrival[]> {
  const { items } = (await (await request.get(`/sandbox/api/partner/deliveries?partner=${of}`)).json()) as { items: Arrival[] }
  return items
}

test('the main job, from a new phone to the partner', async ({ browser, request }) => {
  test.setTimeout(300_000)
  expect((await request.post('/sandbox/api/phones', { data: { phone: owner, subscribed: true } })).ok()).toBeTruthy()
  const wechat = await browser.newContext({
    viewport: { width: 390, height: 844 },
    isMobile: true,
    hasTouch: true,
    userAgent: 'Mozilla/5.0 (Linux; Android 14; HarmonyOS) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36 MicroMessenger/8.0.50',
  })
  const h5 = await wechat.newPage()

  await test.step('1: she registers inside WeChat', async () => {
    await h5.goto(`/sandbox/phone/${owner}/open?to=/m/`)
    await expect(h5).toHaveURL(/\/m\/register/)
    await register(h5, request, { phone: owner, company: bakery.name, name: '潘军波' })
    await expect(h5.getByText(bakery.name).first()).toBeVisible()
  })

  await test.step('2: she verifies the company, and each failure has its own answer', async () => {
    await h5.goto('/m/company/verify')
    await claim(h5, bakery.name, '91990000MADM00430R', bakery.person)
    await expect(h5.locator('.van-field__error-message').first()).toContainText(/校验|信用代码/)
    await claim(h5, '北京麦田香面包房', bakery.code, bakery.person)
    await expect(h5.getByRole('status')).toContainText('名称')
    await fault(request, 'registry', 'fail')
    await claim(h5, bakery.name, bakery.code, bakery.person)
    await expect(h5.getByText('登记系统暂时无法核验')).toBeVisible()
    await expect(h5.locator('input[type="file"]').first()).toBeAttached()
    await fault(request, 'registry', 'ok')
    await claim(h5, bakery.name, bakery.code, bakery.person)
    await expect(h5.getByText('已认证').first()).toBeVisible()
    await noSeriousFinding(h5)
  })

  const bank = await staff(browser, request, 'bank-yunhe-1', '19900060001')
  let product = ''
  await test.step('3: a bank publishes a loan, after both reviews', async () => {
    product = await writeLoan(bank, loan)
    await passLoan(browser, request, loan)
    await listLoan(browser, request, loan)
    const visitor = await browser.newPage()
    await visitor.goto(`/search?q=${encodeURIComponent(loan)}`)
    await expect(visitor.getByRole('link', { name: `〔演示〕${loan}` }).first()).toBeVisible()
    await visitor.close()
  })

  await fault(request, 'partner', 'fail', 2)
  await test.step('4: she applies, the bank accepts, and she is told in three ways', async () => {
    await h5.goto(`/m/products/${product}`)
    await expect(h5.getByText(`〔演示〕${loan}`).first()).toBeVisible()
    await h5.goto(`/m/products/${product}/apply`)
    await h5.locator('input[name="amount"]').fill('30')
    await h5.locator('input[name="term"]').fill('12')
    await h5.getByRole('button', { name: /下一步/ }).click()
    await h5.locator('textarea[name="purpose"]').fill('更换两台节能烤箱，采购中秋原料。')
    await h5.getByRole('button', { name: /下一步/ }).click()
    await h5.getByRole('button', { name: /下一步/ }).click()
    const submit = h5.getByRole('button', { name: '提交申请' })
    await submit.dblclick()
    await expect(h5).toHaveURL(/\/m\/applications\/\d+/)
    await expect(h5.getByText(/SQ\d{8}-\d{6}/).first()).toBeVisible()
    const mine = (await (await h5.request.get('/api/applications')).json()) as { items: unknown[] }
    expect(mine.items).toHaveLength(1)

    await bank.goto('/admin/applications')
    await bank.getByText(bakery.name).first().click()
    await bank.getByRole('button', { name: '受理', exact: true }).first().click()
    const dialog = bank.getByRole('dialog', { name: /受理/ })
    await dialog.getByRole('button', { name: /受理/ }).last().click()
    await expect(bank.getByText('已受理').first()).toBeVisible()
    await picture(bank, 'admin', 18)
    await bank.context().close()

    await expect.poll(async () => (await told(request)).sms.some((m) => m.content.includes(loan) || m.content.includes('受理'))).toBe(true)
    await expect.poll(async () => JSON.stringify((await told(request)).wechat)).toContain('受理')
    await h5.goto('/m/messages')
    await expect(h5.getByText(/已受理您的申请/).first()).toBeVisible()
    await h5.goto('/m/applications')
    await h5.getByText(loan).first().click()
    await expect(h5.getByText('已受理').first()).toBeVisible()
    const plain = await browser.newContext({ javaScriptEnabled: false, storageState: await wechat.storageState() })
    const portal = await plain.newPage()
    await portal.goto('/applications')
    await portal.getByRole('link', { name: new RegExp(loan) }).first().click()
    await expect(portal.getByText('已受理').first()).toBeVisible()
    await plain.close()
  })

  await test.step('5: she asks the hotline, is answered and rates', async () => {
    await h5.goto('/m/tickets/new')
    await h5.locator('input[name="type"]').click()
    await h5.getByRole('button', { name: '选好了' }).click()
    await h5.locator('input[name="title"]').fill(matter)
    await h5.locator('textarea[name="body"]').fill('门前路灯坏了三天，晚上顾客不敢进店。')
    await h5.getByRole('button', { name: '提交诉求' }).click()
    await expect(h5.getByText(/GD\d{8}-\d{6}/).first()).toBeVisible()
    const agent = await staff(browser, request, 'agent', '19900000001')
    await agent.goto('/admin/tickets')
    await agent.getByText(matter).first().click()
    await agent.getByRole('button', { name: '派单', exact: true }).first().click()
    await agent.getByRole('combobox', { name: '承办单位' }).fill('城市管理')
    await agent.getByRole('option', { name: /城市管理/ }).first().click()
    await agent.getByRole('dialog').getByRole('button', { name: '派单', exact: true }).last().click()
    await expect(agent.getByText('待签收').first()).toBeVisible()
    const dept = await staff(browser, request, 'chengguan', '19900000002')
    await dept.goto('/admin/tickets')
    await dept.getByText(matter).first().click()
    await dept.getByRole('button', { name: '签收' }).first().click()
    await dept.getByRole('button', { name: '反馈' }).first().click()
    await dept.getByRole('textbox', { name: '办理结果' }).fill('已更换灯头，当晚恢复照明。')
    await dept.locator('input[type="file"]').setInputFiles({ name: '维修单.png', mimeType: 'image/png', buffer: dot })
    await expect(dept.getByText('维修单.png').first()).toBeVisible()
    await dept.getByRole('button', { name: '提交反馈' }).click()
    await expect(dept.getByText('待回访').first()).toBeVisible()
    await dept.context().close()
    await agent.reload()
    await agent.getByRole('button', { name: '回访并办结' }).first().click()
    await agent.getByRole('dialog').getByRole('button', { name: '办结', exact: true }).last().click()
    await expect(agent.getByText('已办结').first()).toBeVisible()
    await agent.context().close()
    await h5.goto('/m/tickets')
    await h5.getByText(matter).first().click()
    await expect(h5.getByText('维修单.png').first()).toBeVisible()
    await h5.getByRole('radio', { name: '非常满意' }).click()
    await h5.getByRole('button', { name: '提交评价' }).click()
    await expect(h5.getByRole('button', { name: '提交评价' })).toHaveCount(0)
  })

  await test.step('6: the partner has it all, in order, although it failed twice', async () => {
    const tickets = ['opened', 'dispatched', 'signed', 'replied', 'closed', 'rated'].map((t) => `cn.huiqi.ticket.${t}`)
    const taken = async () => (await inbox(request)).filter((a) => a.status === 200)
    const number = /GD\d{8}-\d{6}/.exec((await h5.textContent('body')) ?? '')?.[0] ?? ''
    expect(number).not.toBe('')
    await expect.poll(async () => (await taken()).filter((a) => a.subject === number).map((a) => a.type), { timeout: 90_000 }).toEqual(tickets)
    await expect.poll(async () => (await taken()).some((a) => a.type === 'cn.huiqi.application.accepted'), { timeout: 30_000 }).toBe(true)
    const all = await inbox(request)
    expect(all.every((a) => a.signatureOk)).toBe(true)
    expect((await inbox(request, '')).filter((a) => a.status === 500)).toHaveLength(2)
    const bodies = new Map<string, string>()
    for (const a of all) {
      expect(bodies.get(a.id) ?? a.bodySha256).toBe(a.bodySha256)
      bodies.set(a.id, a.bodySha256)
    }
  })

  await test.step('7: she looks for policies that fit, with the reason of each condition', async () => {
    await h5.goto('/m/policies/match')
    await expect(h5.getByText(/为.*判定/).first()).toBeVisible()
    const match = (await (await h5.request.get('/api/policies/match')).json()) as Record<string, unknown>
    expect(JSON.stringify(match)).toContain('quote')
    await h5.locator('summary').filter({ hasText: /逐项查看/ }).first().click()
    await expect(h5.getByText(/要求|条件/).first()).toBeVisible()
    await noSeriousFinding(h5)
    await picture(h5, 'h5')
  })

  await test.step('8: every step is in the audit log, which is whole', async () => {
    const text = execFileSync('../bin/huiqi', ['audit', 'verify', '--data', 'test-results/data'], { encoding: 'utf8' })
    expect(text).toContain('审计日志完整')
    const auditor = await staff(browser, request, 'auditor', '19900000007')
    for (const action of ['enterprise.verify_settle', 'application.accept', 'ticket.close', 'product.pass']) {
      const { items } = (await (await auditor.request.get(`/api/audit-entries?action=${action}`)).json()) as { items: unknown[] }
      expect(items.length, action).toBeGreaterThan(0)
    }
    await auditor.context().close()
  })
})
