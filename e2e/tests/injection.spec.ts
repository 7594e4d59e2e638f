import { expect, test, type Browser, type Page } from '@playwright/test'
import { codeOn, dot, register, send, solve, staff } from './support'

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

/** Opens an address and waits until all of the payloads stand on it as words. */
async function shows(page: Page, address: string, payload: string | string[], within?: boolean): Promise<void> {
  if (within) {
    // As a link of the page would, without loading the program anew.
    await page.evaluate((to) => {
      history.pushState({}, '', to)
      dispatchEvent(new PopStateEvent('popstate', { state: {} }))
    }, address)
  } else {
    await page.goto(address)
  }
  const texts = () => {
    const fields = [...document.querySelectorAll<HTMLInputElement>('input, textarea')]
    return [document.body.innerText, ...fields.flatMap((e) => [e.value, e.placeholder])]
  }
  await expect(async () => {
    const there = await page.evaluate(texts)
    expect([payload].flat().filter((words) => !there.some((t) => t.includes(words))), address).toEqual([])
  }).toPass({ intervals: [20, 50], timeout: 15_000 })
}

/** A payload in one text of several on a page. Some work at the beginning of a text only, so its name stands behind. */
const as = (text: string, payload: string) => `${payload}·${text}`

interface Said {
  text?: string
  linkText?: string
  linkUrl?: string
}

/** Has an administrator write a hint at a step, nothing to take it away, and returns the one before. */
async function hint(admin: Page, of: 'application-hints' | 'review-hints', place: [string, string, string], content: Said = {}): Promise<Said> {
  const { items } = (await (await admin.request.get(`/api/${of}`)).json()) as { items: (Said & { kind?: string; review?: string; for: string; step: string; version: number })[] }
  const { version = 0, text, linkText, linkUrl } = items.find((h) => [h.kind ?? h.review, h.for, h.step].join() === place.join()) ?? {}
  await send(admin, 'POST', `/api/${of}/${place.join('/')}`, { version, picture: '', ...content })
  return { text, linkText, linkUrl }
}

/** What a hint says, with a payload in its text, its link and beside its picture. */
const hinting = (p: string) => ({ text: as('提示', p), linkText: p.length > 30 ? '查看' : p, linkUrl: '/help', picture: dot.toString('base64'), alt: as('图', p) })

/** Uploads a picture as the person of the page. */
function upload(page: Page, purpose: string, name: string): Promise<number> {
  return page.evaluate(
    async ({ purpose, name, picture }) => {
      const session = (await (await fetch('/api/session')).json()) as { csrfToken: string }
      const body = new FormData()
      body.append('purpose', purpose)
      body.append('file', new File([Uint8Array.from(atob(picture), (c) => c.charCodeAt(0))], name, { type: 'image/png' }))
      const answer = await fetch('/api/files', { method: 'POST', headers: { 'X-CSRF-Token': session.csrfToken }, body })
      if (!answer.ok) throw new Error(await answer.text())
      return ((await answer.json()) as { id: number }).id
    },
    { purpose, name, picture: dot.toString('base64') },
  )
}

/** A service with a payload wherever words are taken. */
const service = (kind: string, p: string) => ({
  name: p, kind, financingKind: '', summary: p, description: p, rateMin: 0, rateMax: 0, amountMin: 0, amountMax: 0, termMin: 0, termMax: 0, guarantees: [],
  cost: 'subsidised', priceText: p, subsidy: p, venues: ['online'], duration: p, deliverables: [p], conditions: [p], target: p, materials: [p], steps: [p], days: 5, listFrom: '', validUntil: '',
})

async function company(browser: Browser, request: Parameters<typeof codeOn>[0]): Promise<Page> {
  // The browser of the tests says of itself that nobody sits before it; visits of such by a channel are not counted.
  const userAgent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, userAgent })).newPage()
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
  const channel: number[] = []

  /** The bank writes a product, and it is listed. */
  async function offer(content: object, note: string): Promise<Kept> {
    let product = await send<Kept>(bank, 'POST', '/api/managed-products', content)
    const about = `/api/managed-products/${product.id}`
    product = await send<Kept>(bank, 'POST', `${about}/submit`, { version: product.version })
    product = await send<Kept>(operator, 'POST', `${about}/pass`, { version: product.version, note })
    return send<Kept>(reviewer, 'POST', `${about}/pass`, { version: product.version, note })
  }
  const { items: cards } = (await (await reviewer.request.get('/api/assessment-cards')).json()) as { items: { id: number; target: string; items: { name: string; points: number }[] }[] }
  const card = cards.find((c) => c.target === 'institution')!

  await test.step('everybody writes them wherever something can be written', async () => {
    for (const [i, p] of payloads.entries()) {
      const product = await offer(service('digital', p), p)
      const { items: channels } = await send<{ items: { id: number; link: string }[] }>(operator, 'POST', '/api/channels', { names: [p], fields: { kind: 'poster', owner: as('负责', p.slice(0, 45)), landing: '/products', on: true } })
      channel.push(channels[0]!.id)
      await her.evaluate((link) => fetch(link, { redirect: 'manual' }), channels[0]!.link) // she came by it

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
      const gives = async (who: Page, by: string) =>
        send(who, 'POST', `/api/evidence/application/${a.id}`, { item: '', fileIds: [await upload(who, 'application', `${p}.png`)], note: as(by, p), shared: true })
      await gives(bank, '机构佐证')
      await gives(her, '企业佐证')
      const marks = card.items.map((item, n) => ({ item: item.name, points: item.points - (n ? 0 : 1), note: n ? '' : as('扣分', p) }))
      await send(reviewer, 'POST', `/api/evidence/application/${a.id}/assess`, { target: 'institution', version: 0, cardId: card.id, marks, fatal: [], comment: as('评语', p) })
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

  for (const page of [her, bank, operator, reviewer]) await watch(page, alive)
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
    for (const { payload: p, product, application } of cases) {
      await hint(operator, 'application-hints', ['digital', 'applicant', 'at-completed'], hinting(p))
      const given = [as('机构佐证', p), as('企业佐证', p)]
      for (const path of [`/products/${product}`, `/products/${product}/evaluations`, `/applications/${application}/messages`, `/applications/${application}/contracts`]) await shows(her, path, p)
      await shows(her, `/applications/${application}`, [p, as('提示', p)])
      for (const path of [`/applications/${application}/evidence`, `/applications/${application}/record`]) await shows(her, path, given)
    }
    for (const path of ['/products?sort=new', '/applications', '/offline-services', '/messages']) await her.goto(path)
  })
  await test.step('the phone shows them as words', async () => {
    await phone.goto('/m/')
    await expect(phone.locator('.van-tabbar')).toBeVisible() // it stands, and follows its address
    for (const { payload: p, product, application } of cases) {
      await hint(operator, 'application-hints', ['digital', 'applicant', 'at-completed'], hinting(p))
      for (const path of [`/m/products/${product}`, `/m/applications/${application}/messages`, `/m/applications/${application}/contracts`]) await shows(phone, path, p, true)
      await shows(phone, `/m/applications/${application}`, [p, as('提示', p)], true)
      await shows(phone, `/m/applications/${application}/evidence`, [as('机构佐证', p), as('企业佐证', p)], true)
    }
    for (const path of ['/m/products', '/m/applications', '/m/offline-services', '/m/messages']) await phone.goto(path)
  })
  await test.step('the back office shows them as words', async () => {
    for (const page of [bank, operator]) {
      await page.goto('/admin/')
      await expect(page.getByRole('heading', { name: /您好/ })).toBeVisible()
    }
    for (const { payload: p, product, application } of cases) {
      await shows(bank, `/admin/products/${product}`, p, true)
      await shows(bank, `/admin/applications/${application}`, [as('机构佐证', p), as('企业佐证', p), as('评语', p), as('扣分', p)], true)
      await shows(operator, `/admin/applications/${application}`, [`渠道：${p}`, as('评语', p)], true)
    }
    // A hint is fetched anew with the program only, and takes several payloads.
    for (let from = 0; from < cases.length; from += 5) {
      const five = cases.slice(from, from + 5)
      await hint(operator, 'review-hints', ['product', 'submitter', 'at-listed'], { ...hinting(five[0]!.payload), text: five.map((c) => c.payload).join('\n') })
      await shows(bank, `/admin/products/${five[0]!.product}`, five.map((c) => c.payload))
    }
    await hint(operator, 'review-hints', ['product', 'submitter', 'at-listed'])
    await hint(operator, 'application-hints', ['digital', 'applicant', 'at-completed'])
    for (const path of ['/admin/applications', '/admin/products', '/admin/offline-services', '/admin/evaluations', '/admin/my-quotes']) await bank.goto(path)
  })
  await test.step('and so do channels and assessments in their lists', async () => {
    for (const [page, list] of [[operator, 'channel.list'], [reviewer, 'evidence.assessments']] as const) {
      await page.goto('/admin/')
      await page.evaluate((name) => localStorage.setItem(`huiqi.admin.${name}.limit`, '100'), list)
    }
    await shows(operator, '/admin/channels', [...payloads, ...payloads.map((p) => as('负责', p.slice(0, 45)))])
    await shows(operator, `/admin/channels/print?ids=${channel.join(',')}`, payloads)
    await shows(operator, '/admin/channels/stats', payloads)
    await shows(reviewer, '/admin/assessments', payloads.map((p) => as('评语', p)))
  })
  await test.step('and so do fields that administrators define, and what is filled into them', async () => {
    const half = payloads.length / 2
    const offered: number[] = []
    const versions: Record<string, number> = {}
    const define = async (subject: string, key: string, definition: object, retired = false) =>
      (versions[subject + key] = (versions[subject + key] ?? 0) + 1) &&
      send(operator, 'PUT', `/api/extra-fields/${subject}/${key}`, { field: { key, ...definition }, kinds: ['innovation'], audience: 'everyone', sort: 100, retired, version: versions[subject + key]! - 1 })
    const defined: [string, object][] = []
    for (const from of [0, half]) {
      const some = payloads.slice(from, from + half)
      // A name takes thirty characters and no colon, a choice no semicolon.
      const names = some.map((p, i) => (p.length > 30 || /[:;]/.test(p) ? `填写项${from + i}` : p))
      const choices = some.filter((p) => !p.includes(';'))
      defined.length = 0
      some.forEach((p, i) => defined.push([`words${i}`, { label: names[i], kind: 'text', help: as('说明', p) }]))
      for (let i = 0; i < 10; i++) defined.push([`choice${i}`, { label: `${from ? '后' : '前'}半选择项${i}`, kind: 'choices', help: '', options: [...choices.slice(3 * i, 3 * i + 3), '没有', '不清楚'] }])
      for (const subject of ['product', 'application']) for (const [key, definition] of defined) await define(subject, key, definition)
      const answers: Record<string, string[]> = {}
      some.forEach((p, i) => (answers[`words${i}`] = [as('填写', p)]))
      for (let i = 0; i < 10; i++) answers[`choice${i}`] = [...choices.slice(3 * i, 3 * i + 3), '没有']

      const content = { ...service('innovation', some[0]!), name: `自有字段${from}`, extra: Object.entries(answers).map(([key, values]) => ({ key, values })) }
      const draft = await send<Kept>(bank, 'POST', '/api/managed-products', content)
      await shows(bank, `/admin/products/${draft.id}/edit`, [...names, ...some.map((p) => as('填写', p))])
      const product = await offer(content, '')
      offered.push(product.id)
      const asked = [...names, ...choices, ...some.map((p) => as('说明', p))]
      const told = [...names, ...choices, ...some.map((p) => as('填写', p))]
      await shows(her, `/products/${product.id}`, told)
      await shows(her, `/products/${product.id}/apply`, asked)
      await shows(phone, `/m/products/${product.id}`, told, true)
      await shows(phone, `/m/products/${product.id}/apply`, asked, true)
      const application = await send<Kept>(her, 'POST', '/api/applications', { productId: product.id, purpose: '核对自有字段', contactName: '', phone: '', source: 'portal', fields: answers })
      await shows(her, `/applications/${application.id}`, told)
      await shows(phone, `/m/applications/${application.id}`, told, true)
      await shows(bank, `/admin/products/${product.id}`, told)
      await shows(bank, `/admin/applications/${application.id}`, told)
      await shows(operator, '/admin/extra-fields', names)
    }
    await shows(her, `/products/compare?id=${offered.join('&id=')}`, payloads.map((p) => as('填写', p)))
    await shows(phone, `/m/products/compare?id=${offered.join('&id=')}`, payloads.map((p) => as('填写', p)), true)
    for (const subject of ['product', 'application']) for (const [key, definition] of defined) await define(subject, key, definition, true)
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

/** What an applicant types, with a payload wherever words are taken. */
const joining = (p: string) => ({
  name: p, kind: 'law', creditCode: '91990000DM0098313Y', legalPerson: p, phone: '010-60000031', address: p, summary: p + '，五个字以上', offers: p + '，至少要有十个字的服务内容', contactName: p.slice(0, 20), contactPhone: '13612341033', account: 'xitan',
})

test('and so they do in an application to join, sent and sent back sixty times', async ({ browser, request }) => {
  test.setTimeout(600_000)
  const alive: string[] = []
  const phone = await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage()
  await phone.goto('/m/register')
  await register(phone, request, { phone: '13612341033', company: '通州区溪滩事务所〔测试〕', name: '溪滩' })
  await expect(phone).not.toHaveURL(/register/)
  const her = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, storageState: await phone.context().storageState() })).newPage()
  const operator = await staff(browser, request, 'operator01', '19900020004')
  for (const page of [her, phone, operator]) await watch(page, alive)
  await her.goto('/institutions/apply')
  await phone.goto('/m/')
  await operator.goto('/admin/')
  await expect(operator.getByRole('heading', { name: /您好/ })).toBeVisible()

  interface Desk {
    application: Kept & { documents: { id: number }[] }
  }
  const about = (step: string): [string, string, string] => ['institution', 'submitter', step]
  const before: Record<string, Said> = {}
  let a: Kept = { id: 0, version: 0 }
  for (const p of payloads) {
    const typed = joining(p)
    for (const step of ['form', 'at-waiting']) {
      const said = await hint(operator, 'review-hints', about(step), hinting(p))
      before[step] ??= said
    }
    let desk = await send<Desk>(her, 'POST', '/api/onboarding/documents', { ...typed, version: a.version, docName: as('证照', p), docNo: p, docTo: '', fileIds: [await upload(her, 'licence', `${p}.png`)] })
    for (const old of desk.application.documents.slice(0, -1)) desk = await send<Desk>(her, 'POST', `/api/onboarding/documents/${old.id}/remove`, { ...typed, version: desk.application.version })
    const filled = [typed.summary, typed.offers, as('证照', p), as('提示', p)]
    await shows(her, '/institutions/apply', filled) // the form
    await shows(phone, '/m/institutions/apply', filled, true)
    a = (await send<Desk>(her, 'POST', '/api/onboarding/submit', { ...typed, version: desk.application.version })).application
    await shows(her, `/institutions/apply/${a.id}`, filled)
    await shows(phone, `/m/institutions/apply/${a.id}`, filled, true)
    a = await send<Kept>(operator, 'POST', `/api/institution-applications/${a.id}/return`, { version: a.version, codes: ['other'], text: as('退回', p) })
  }
  for (const [step, said] of Object.entries(before)) await hint(operator, 'review-hints', about(step), said)
  // Every round is told with what was changed in it and why it was sent back.
  const told = payloads.flatMap((p) => [p, as('退回', p), joining(p).summary, joining(p).offers])
  await shows(her, `/institutions/apply/${a.id}`, told)
  await shows(phone, `/m/institutions/apply/${a.id}`, told)
  await shows(operator, `/admin/institution-applications?open=${a.id}`, told)
  expect(alive).toEqual([])
  for (const page of [her, phone, operator]) await page.context().close()
})
