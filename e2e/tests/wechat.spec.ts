import { expect, type APIRequestContext, type BrowserContext, type Page, test } from '@playwright/test'
import { noSeriousFinding, register, staff } from './support'

const owner = '13812345601'

/** A phone inside WeChat, known to the sandbox. */
async function phoneInWechat(newContext: () => Promise<BrowserContext>, request: APIRequestContext, number: string, more: object = {}): Promise<BrowserContext> {
  const added = await request.post('/sandbox/api/phones', { data: { phone: number, subscribed: true, ...more } })
  expect(added.ok()).toBeTruthy()
  return newContext()
}

/** Opens the mobile face as a tap in WeChat does. */
async function openInWechat(context: BrowserContext, number: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(`/sandbox/phone/${number}/open?to=/m/`)
  return page
}

/** Makes WeChat misbehave until told otherwise. */
async function fault(request: APIRequestContext, mode: string): Promise<void> {
  const answer = await request.post('/sandbox/api/faults', { data: { target: 'wechat', mode, count: 0, delayMs: 0 } })
  expect(answer.ok()).toBeTruthy()
}

test.describe('inside WeChat', () => {
  const shape = {
    viewport: { width: 390, height: 844 },
    isMobile: true,
    hasTouch: true,
    userAgent: 'Mozilla/5.0 (Linux; Android 14; HarmonyOS) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36 MicroMessenger/8.0.50',
  }

  test('a new phone registers and is known from then on', async ({ browser, request }) => {
    const phone = await phoneInWechat(() => browser.newContext(shape), request, owner)

    await test.step('opening leads through WeChat to registering', async () => {
      const h5 = await openInWechat(phone, owner)
      await expect(h5).toHaveURL(/\/m\/register\?.*wechat=new/)
      await expect(h5.getByText('注册后即可用微信登录')).toBeVisible()
      await noSeriousFinding(h5)
      await register(h5, request, { phone: owner, company: '北京微信烘焙有限公司', name: '陈小雨' })
      await expect(h5.getByText('北京微信烘焙有限公司').first()).toBeVisible()
    })

    await test.step('another day the same WeChat account is signed in silently', async () => {
      // The phone forgot every cookie of ours, and WeChat still knows its person.
      const later = await phoneInWechat(() => browser.newContext(shape), request, owner)
      const h5 = await openInWechat(later, owner)
      await expect(h5).toHaveURL(/\/m\/(\?.*)?$/)
      await expect(h5.getByText('北京微信烘焙有限公司').first()).toBeVisible()
      await later.close()
    })

    const h5 = await phone.newPage()
    await test.step('signing out holds until the app is opened anew', async () => {
      await h5.goto('/m/mine')
      await h5.getByRole('button', { name: '退出登录' }).click()
      await h5.getByRole('dialog').getByRole('button', { name: '退出登录' }).click()
      await expect(h5.getByRole('link', { name: '企业注册' }).or(h5.getByRole('button', { name: '企业注册' })).first()).toBeVisible()
      const again = await openInWechat(phone, owner)
      await expect(again.getByText('北京微信烘焙有限公司').first()).toBeVisible()
      await again.close()
    })

    await test.step('what is unbound must register or sign in again', async () => {
      await h5.goto('/m/account')
      await expect(h5.getByText('已绑定')).toBeVisible()
      await expect(h5.getByText('微信（鸿蒙）').first()).toBeVisible()
      await noSeriousFinding(h5)
      await h5.getByRole('button', { name: '解除绑定' }).click()
      await h5.getByRole('dialog').getByRole('button', { name: '解除绑定' }).click()
      await expect(h5.getByText('未绑定')).toBeVisible()
      const stranger = await phoneInWechat(() => browser.newContext(shape), request, owner)
      const page = await openInWechat(stranger, owner)
      await expect(page).toHaveURL(/\/m\/register\?.*wechat=new/)
      await stranger.close()
      await h5.getByRole('button', { name: '绑定微信' }).click()
      await expect(h5.getByText('已绑定')).toBeVisible()
    })
    await phone.close()
  })

  test('when WeChat fails the page says so and offers both ways on', async ({ browser, request }) => {
    const number = '13812345602'
    const phone = await phoneInWechat(() => browser.newContext(shape), request, number)
    for (const mode of ['reset', 'garbage', 'fail']) {
      await fault(request, mode)
      const page = await openInWechat(phone, number)
      await expect(page.getByRole('heading', { name: '微信暂时连接不上' })).toBeVisible()
      await noSeriousFinding(page)
      await page.close()
    }
    const page = await openInWechat(phone, number)
    await page.getByRole('link', { name: '用短信验证码登录' }).click()
    await expect(page).toHaveURL(/\/m\/login/)
    await expect(page.locator('input[name="code"]')).toBeVisible()
    await page.goBack()
    await fault(request, 'ok')
    await page.getByRole('link', { name: '重新打开' }).click()
    await expect(page).toHaveURL(/\/m\/register\?.*wechat=new$/)
    await phone.close()
  })

  test('a snapshot visitor is told what to do', async ({ browser, request }) => {
    const number = '13812345603'
    const phone = await phoneInWechat(() => browser.newContext(shape), request, number, { snapshot: true })
    const page = await openInWechat(phone, number)
    await expect(page.getByText('使用完整服务')).toBeVisible()
    await phone.close()
  })

  test('a state does not work in another browser', async ({ browser, request }) => {
    const number = '13812345604'
    const phone = await phoneInWechat(() => browser.newContext(shape), request, number)
    await fault(request, 'fail')
    const page = await openInWechat(phone, number)
    await expect(page).toHaveURL(/\/wechat\/callback\?/)
    const callback = page.url()
    await fault(request, 'ok')
    const other = await (await browser.newContext(shape)).newPage()
    await other.goto(callback)
    await expect(other.getByText('不是从当前的浏览器发起')).toBeVisible()
    await other.context().close()
    await phone.close()
  })
})

test('accounts, roles and the audit log in the back office', async ({ browser, request }) => {
  const admin = await staff(browser, request, 'sysadmin', '19900000005')
  let password = ''

  await test.step('an account is opened with a password that is shown once', async () => {
    await admin.goto('/admin/system/users')
    await admin.getByRole('button', { name: '新建账号' }).click()
    const dialog = admin.getByRole('dialog')
    await dialog.getByRole('textbox', { name: '姓名' }).fill('何静')
    await dialog.getByRole('textbox', { name: '账号' }).fill('hejing')
    await dialog.getByRole('textbox', { name: '手机号' }).fill('19900000091')
    await dialog.getByRole('combobox', { name: '所属部门' }).fill('城市管理')
    await admin.getByRole('option', { name: /城市管理/ }).first().click()
    await dialog.getByText('部门经办人').click()
    await dialog.getByRole('button', { name: '新建账号' }).click()
    await expect(admin.getByText('新密码只显示这一次')).toBeVisible()
    password = (await admin.locator('code').innerText()).trim()
    await admin.getByRole('button', { name: '已记下，关闭' }).click()
    await expect(admin.getByRole('cell', { name: 'hejing' })).toBeVisible()
  })

  await test.step('its person changes the password before anything else', async () => {
    const hejing = await staff(browser, request, 'hejing', '19900000091', { password, heading: '我的账号' })
    await hejing.goto('/admin/tickets')
    await expect(hejing.getByText('请先修改密码')).toBeVisible()
    await hejing.getByLabel('当前密码').fill(password)
    await hejing.getByLabel('新密码', { exact: true }).fill('Yunhe-2026-xin')
    await hejing.getByLabel('再填一次新密码').fill('Yunhe-2026-xin')
    await hejing.getByRole('button', { name: '修改密码' }).click()
    await expect(hejing.getByText('密码已修改')).toBeVisible()
    await hejing.goto('/admin/tickets')
    await expect(hejing.getByRole('heading', { name: '工单列表' })).toBeVisible()

    await admin.getByRole('cell', { name: 'hejing' }).click()
    await expect(admin.getByText('正在登录')).toBeVisible()
    await admin.getByRole('button', { name: '停用账号' }).click()
    await admin.getByRole('button', { name: '离职' }).click()
    await admin.getByRole('dialog').getByRole('button', { name: '停用账号' }).click()
    await expect(admin.getByText('已停用').first()).toBeVisible()
    await hejing.goto('/admin/tickets')
    await expect(hejing.getByRole('heading', { name: '登录工作后台' })).toBeVisible()
    await hejing.context().close()
  })

  await test.step('a role of one’s own', async () => {
    const secadmin = await staff(browser, request, 'secadmin', '19900000006')
    await secadmin.goto('/admin/system/roles')
    await secadmin.getByRole('button', { name: '新建角色' }).click()
    const dialog = secadmin.getByRole('dialog')
    await dialog.getByRole('textbox', { name: '名称' }).fill('值班长')
    await dialog.getByText('平台人员').click()
    await dialog.getByText('查看工单').first().click()
    await dialog.getByRole('button', { name: '新建角色' }).click()
    await expect(secadmin.getByRole('cell', { name: '值班长' })).toBeVisible()
    await secadmin.getByRole('cell', { name: '安全管理员' }).click()
    await expect(secadmin.getByText('您自己担任这个角色')).toBeVisible()
    await secadmin.goto('/admin/system/users')
    await expect(secadmin.getByText('没有查看权限').or(secadmin.getByText('权限')).first()).toBeVisible()
    await secadmin.context().close()
  })

  await test.step('the auditor reads who did what', async () => {
    const auditor = await staff(browser, request, 'auditor', '19900000007')
    await auditor.goto('/admin/system/audit')
    await expect(auditor.getByText('新建角色“值班长”').first()).toBeVisible()
    await expect(auditor.getByText('停用账号 何静').first()).toBeVisible()
    await auditor.getByText('停用账号 何静').first().click()
    await expect(auditor.getByText('离职')).toBeVisible()
    await auditor.context().close()
  })
  await admin.context().close()
})
