import { expect, test, type Browser, type Page } from '@playwright/test'
import { codeOn, send, solve, staff } from './support'

const owner = '19900030015' // of a company that no other journey acts for

/** Sixty ways in, none longer than a short field. Each says its number, which no two share. */
const payloads = [
  '<script>alert(0)</script>', '<SCRIPT>alert(1)</SCRIPT>', '<script/x>alert(2)</script>', '<scr<script>ipt>alert(3)</scr</script>ipt>', '<script src=/xss-hit?4></script>',
  '<script type=module>alert(5)</script>', '</script><script>alert(6)</script>', '</title><script>alert(7)</script>', '</textarea><script>alert(8)</script>', '</style><script>alert(9)</script>',
  '<img src=/xss-hit?10 onerror=alert(10)>', '<img src=x:x onerror=alert(11)>', '<img/src/onerror=alert(12)>', '<img src=a onerror=alert`13`>', '"><img src=/xss-hit?14 onerror=alert(14)>',
  "'><img src=/xss-hit?15 onerror=alert(15)>", '" onfocus=alert(16) autofocus="', "' onfocus=alert(17) autofocus='", '" onmouseover="alert(18)', '`onmouseover=alert(19)',
  '<svg onload=alert(20)>', '<svg/onload=alert(21)>', '<svg><script>alert(22)</script></svg>', '<svg><animate onbegin=alert(23) attributeName=x>', '<svg><a href=javascript:alert(24)>24</a>',
  '<math><mtext><img src=x:x onerror=alert(25)>', '<body onload=alert(26)>', '<iframe src=javascript:alert(27)>', '<iframe srcdoc="<script>alert(28)</script>">', '<object data=/xss-hit?29>',
  '<embed src=/xss-hit?30>', '<link rel=stylesheet href=/xss-hit?31>', '<style>@import"/xss-hit?32"</style>', '<base href=/xss-hit?33/>', '<meta http-equiv=refresh content="0;/xss-hit?34">',
  '<form action=/xss-hit?35><button>35</button>', '<a href="javascript:alert(36)">36</a>', '<a href="JaVaScRiPt:alert(37)">37</a>', '<a href="&#106;avascript:alert(38)">38</a>', 'javascript:alert(39)',
  '<details open ontoggle=alert(40)>', '<video><source onerror=alert(41)></video>', '<audio src=/xss-hit?42 onerror=alert(42)>', '<marquee onstart=alert(43)>', '<input autofocus onfocus=alert(44)>',
  '<select autofocus onfocus=alert(45)>', '<textarea autofocus onfocus=alert(46)>', '<keygen autofocus onfocus=alert(47)>', '{{constructor.constructor("alert(48)")()}}', '${alert(49)}',
  '#{alert(50)}', '<%= alert(51) %>', '[[alert(52)]]', '&lt;script&gt;alert(53)&lt;/script&gt;', '&#60;script&#62;alert(54)&#60;/script&#62;',
  '\\u003cscript\\u003ealert(55)\\u003c/script\\u003e', '%3Cscript%3Ealert(56)%3C/script%3E', '<!--><script>alert(57)</script>-->', '<![CDATA[<script>alert(58)</script>]]>', '=HYPERLINK("javascript:alert(59)")',
]

interface Kept {
  id: number
  version: number
}
interface Case {
  payload: string
  product: number
  application: number
}

/** Reports whatever of a payload comes to life on the page. */
async function watch(page: Page, alive: string[]): Promise<void> {
  await page.exposeFunction('xssAlive', (what: string) => alive.push(`${page.url()} ran ${what}`))
  await page.addInitScript(() => {
    const w = window as unknown as { xssAlive: (what: string) => void }
    for (const name of ['alert', 'confirm', 'prompt'] as const) window[name] = ((what: unknown) => w.xssAlive(String(what))) as never
  })
  page.on('request', (r) => {
    if (r.url().includes('xss-hit')) alive.push(`${page.url()} fetched ${r.url()}`)
  })
  // The policy of the pages would stop a script that stood in the page: that it stood there is the defect.
  page.on('console', (m) => {
    if (/Content Security Policy|Refused to/.test(m.text())) alive.push(`${page.url()} ${m.text()}`)
  })
}

/** Opens an address and waits until the payload stands on it as words. */
async function shows(page: Page, address: string, payload: string, within?: boolean): Promise<void> {
  if (within) {
    // As a link of the page would, without loading the program anew.
    await page.evaluate((to) => {
      history.pushState({}, '', to)
      dispatchEvent(new PopStateEvent('popstate', { state: {} }))
    }, address)
  } else {
    await page.goto(address)
  }
  await page
    .waitForFunction((words) => {
      const fields = [...document.querySelectorAll('input, textarea')].map((e) => (e as HTMLInputElement).value)
      return [document.body.innerText, ...fields].some((t) => t.includes(words))
    }, payload)
    .catch(() => {
      throw new Error(`${address} does not show ${payload}`)
    })
}

async function company(browser: Browser, request: Parameters<typeof codeOn>[0]): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage()
  await page.goto('/login')
  await page.locator('input[name="phone"]').fill(owner)
  await page.locator('input[name="captchaAnswer"]').fill(await solve(page))
  await page.getByRole('button', { name: '获取验证码' }).click()
  await page.locator('input[name="code"]').fill(await codeOn(request, owner))
  await page.getByRole('button', { name: '登录', exact: true }).last().click()
  await expect(page).not.toHaveURL(/login/)
  return page
}

const inDays = (n: number) => new Date(Date.now() + n * 86_400_000 + 8 * 3_600_000).toISOString().slice(0, 10)

test('sixty ways to bring a script in stay words in every text of a product, an application and a demand', async ({ browser, request }) => {
  test.setTimeout(900_000)
  expect(new Set(payloads).size).toBe(60)
  expect(Math.max(...payloads.map((p) => p.length)), 'a short field takes it').toBeLessThanOrEqual(50)
  const alive: string[] = []
  const her = await company(browser, request)
  const bank = await staff(browser, request, 'bank-yunhe-1', '19900060001')
  const operator = await staff(browser, request, 'operator01', '19900020004')
  const reviewer = await staff(browser, request, 'reviewer02', '19900020018')
  const { creditCode } = (await (await her.request.get('/api/my/enterprise')).json()) as { creditCode: string }
  const cases: Case[] = []

  await test.step('everybody writes them wherever something can be written', async () => {
    for (const [i, p] of payloads.entries()) {
      let product = await send<Kept>(bank, 'POST', '/api/managed-products', {
        name: p, kind: 'digital', financingKind: '', summary: p, description: p, rateMin: 0, rateMax: 0, amountMin: 0, amountMax: 0, termMin: 0, termMax: 0, guarantees: [],
        cost: 'subsidised', priceText: p, subsidy: p, venues: ['online'], duration: p, deliverables: [p], conditions: [p], target: p, materials: [p], steps: [p], days: 5, listFrom: '', validUntil: '',
      })
      const about = `/api/managed-products/${product.id}`
      product = await send<Kept>(bank, 'POST', `${about}/submit`, { version: product.version })
      product = await send<Kept>(operator, 'POST', `${about}/pass`, { version: product.version, note: p })
      await send<Kept>(reviewer, 'POST', `${about}/pass`, { version: product.version, note: p })

      let a = await send<Kept>(her, 'POST', '/api/applications', { productId: product.id, purpose: p, contactName: p, phone: '13612340967', source: 'portal' })
      const on = `/api/applications/${a.id}`
      const step = async (who: Page, action: string, body: object) => (a = await send<Kept>(who, 'POST', `${on}/${action}`, { version: a.version, ...body }))
      await step(bank, 'accept', { note: p })
      await step(bank, 'ask-supplement', { reason: p })
      await step(her, 'supplement', { note: p })
      await step(bank, 'plan', { note: p, steps: [{ title: p, deliverable: p, day: inDays(10) }] })
      await step(bank, 'progress', { note: p })
      await send(bank, 'POST', `/api/conversations/application/${a.id}`, { words: p })
      await send(her, 'POST', `/api/conversations/application/${a.id}`, { words: p })
      const contract = await send<Kept>(bank, 'POST', `/api/case-contracts/application/${a.id}`, { title: p, body: p.includes('{{') ? '没有空白的正文' : p, days: 7 }) // a blank of a template may not be sent
      await send(bank, 'POST', `/api/contracts/${contract.id}/send`, { version: contract.version })
      await step(bank, 'deliver', { note: p })
      await step(her, 'confirm', { reason: p })
      const asked = (await (await her.request.get(`/api/evaluation-subjects/application/${a.id}`)).json()) as { form: { id: number } }
      await send(her, 'POST', `/api/evaluation-subjects/application/${a.id}`, { formId: asked.form.id, level: 5, words: p })
      const { items } = (await (await bank.request.get('/api/evaluations?limit=1')).json()) as { items: Kept[] }
      await send(bank, 'POST', `/api/evaluations/${items[0]!.id}/reply`, { version: items[0]!.version, words: p })

      await send(bank, 'POST', '/api/offline-services', { creditCode, service: p, day: inDays(-1 - i), place: p, persons: p, content: p, sure: true })
      cases.push({ payload: p, product: product.id, application: a.id })
    }
  })

  for (const page of [her, bank, operator]) await watch(page, alive)
  const phone = await (await browser.newContext({ viewport: { width: 390, height: 844 }, storageState: await her.context().storageState() })).newPage()
  await watch(phone, alive)

  await test.step('one that stands in a page is seen', async () => {
    for (const [page, path] of [[her, '/'], [phone, '/m/'], [bank, '/admin/']] as const) {
      await page.goto(path)
      await page.evaluate((p) => document.body.insertAdjacentHTML('beforeend', p), payloads[11])
      await expect.poll(() => alive.length, path).toBeGreaterThan(0)
      alive.length = 0
    }
  })
  await test.step('the portal shows them as words', async () => {
    for (const c of cases) {
      for (const path of [`/products/${c.product}`, `/products/${c.product}/evaluations`, `/applications/${c.application}`, `/applications/${c.application}/messages`, `/applications/${c.application}/contracts`, `/applications/${c.application}/record`])
        await shows(her, path, c.payload)
    }
    for (const path of ['/products?sort=new', '/applications', '/offline-services', '/messages']) await her.goto(path)
  })
  await test.step('the phone shows them as words', async () => {
    await phone.goto('/m/')
    await expect(phone.locator('.van-tabbar')).toBeVisible() // it stands, and follows its address
    for (const c of cases) {
      for (const path of [`/m/products/${c.product}`, `/m/applications/${c.application}`, `/m/applications/${c.application}/messages`, `/m/applications/${c.application}/contracts`]) await shows(phone, path, c.payload, true)
    }
    for (const path of ['/m/products', '/m/applications', '/m/offline-services', '/m/messages']) await phone.goto(path)
  })
  await test.step('the back office shows them as words', async () => {
    await bank.goto('/admin/')
    await expect(bank.getByRole('heading', { name: /您好/ })).toBeVisible()
    for (const c of cases) {
      for (const path of [`/admin/applications/${c.application}`, `/admin/products/${c.product}`]) await shows(bank, path, c.payload, true)
    }
    for (const path of ['/admin/applications', '/admin/products', '/admin/offline-services', '/admin/evaluations', '/admin/my-quotes']) await bank.goto(path)
  })
  await test.step('and so do demands, of which a company has twenty at most', async () => {
    await operator.goto('/admin/')
    await expect(operator.getByRole('heading', { name: /您好/ })).toBeVisible()
    for (let from = 0; from < cases.length; from += 20) {
      const open: { id: number; payload: string }[] = []
      for (const { payload: p, product } of cases.slice(from, from + 20)) {
        let d = await send<Kept>(her, 'POST', '/api/demands', {
          kind: 'digital', title: p, description: p, budgetMin: '1', budgetMax: '2', term: '', until: inDays(8), wantedBy: inDays(20), place: p, named: true, contactName: p.slice(0, 20), phone: '', contactNote: p, fileIds: [],
        })
        d = await send<Kept>(her, 'POST', `/api/demands/${d.id}/submit`, { version: d.version })
        await send<Kept>(operator, 'POST', `/api/demands/${d.id}/approve`, { version: d.version })
        await send(bank, 'PUT', `/api/demands/${d.id}/quote`, { version: 0, productId: product, price: '100', days: '5', amount: '', rate: '', term: '', text: p, validUntil: inDays(30) })
        open.push({ id: d.id, payload: p })
      }
      for (const path of ['/demands', '/my/demands']) await her.goto(path)
      for (const path of ['/m/demands', '/m/my/demands']) await phone.goto(path)
      for (const { id, payload } of open) {
        for (const path of [`/demands/${id}`, `/my/demands/${id}`]) await shows(her, path, payload)
        for (const path of [`/m/demands/${id}`, `/m/my/demands/${id}`]) await shows(phone, path, payload, true)
        await shows(operator, `/admin/demands?open=${id}`, payload, true)
        await shows(bank, `/admin/demand-hall?open=${id}`, payload, true)
        const { version } = (await (await her.request.get(`/api/demands/${id}`)).json()) as Kept
        await send(her, 'POST', `/api/demands/${id}/close`, { version, reason: payload })
      }
    }
  })
  expect(alive).toEqual([])
  for (const page of [her, bank, operator, reviewer, phone]) await page.context().close()
})
