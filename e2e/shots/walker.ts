import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page, Request } from '@playwright/test'

const folder = process.env.SHOTS_DIR ?? 'test-results/shots'
const widths = [1440, 390]
const patience = 60_000 // milliseconds for a page to come to rest

/** What is no page: what ends the session or changes its type size, downloads and the stand-ins of other systems. */
const skipped = /^\/(logout|elder|sandbox|files|captcha|api|healthz|readyz|wechat)|\.(pdf|xlsx|csv|png|jpg|xml|json|txt)$/

/** The address without its numbers and query: one picture stands for all pages of a kind. */
function kindOf(path: string): string {
  return path.replace(/\?.*$/, '').replace(/#.*$/, '').replace(/\/\d+(?=\/|$)/g, '/N').replace(/(.)\/$/, '$1')
}

/** A page of a front-end's own table of routes, with what its menu goes by. */
interface Route {
  path: string
  permissions: string[]
  open: boolean // to people who are not signed in
  guest: boolean // to nobody else
}

/** The pages that the front-end of this page offers the person, read from its router: a page added later is among them. */
export async function offered(page: Page): Promise<string[]> {
  const { routes, held, signedIn } = await page.evaluate(async () => {
    const root = document.querySelector('#app') as unknown as { __vue_app__: { config: { globalProperties: { $router: { getRoutes(): { path: string; meta: Record<string, unknown>; redirect?: unknown }[]; options: { history: { base: string } } } } } } }
    const router = root.__vue_app__.config.globalProperties.$router
    const session = (await (await fetch('/api/session')).json()) as { signedIn: boolean; permissions?: string[] }
    const routes = router.getRoutes().filter((r) => !r.redirect && r.meta.title).map((r) => ({
      path: router.options.history.base.replace(/\/$/, '') + r.path,
      permissions: [(r.meta.permissions ?? r.meta.permission ?? []) as string | string[]].flat(),
      open: r.meta.public === true || !r.meta.auth,
      guest: r.meta.guest === true || r.path === '/login',
    }))
    return { routes: routes as Route[], held: session.permissions ?? [], signedIn: session.signedIn }
  })
  return routes
    .filter((r) => !r.path.includes(':') && (signedIn ? !r.guest : r.open))
    .filter((r) => r.permissions.length === 0 || r.permissions.some((p) => held.includes(p)))
    .map((r) => r.path)
}

/** Walks over one face of the product as one person, pictures each kind of page and notes what is wrong with it. */
export class Walk {
  private readonly seen = new Set<string>()
  private readonly pending = new Set<Request>()
  private at = ''

  constructor(
    private readonly page: Page,
    private readonly role: string,
    private readonly face: RegExp,
    private readonly problems: string[],
  ) {
    mkdirSync(join(folder, role), { recursive: true })
    page.on('console', (message) => {
      // A refused request is told below, with its address.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) this.note(`console: ${message.text()}`)
    })
    page.on('pageerror', (error) => this.note(error.message))
    page.on('response', (r) => {
      if (r.status() >= 400) this.note(`${r.status()} ${r.request().method()} ${r.url().replace(/^https?:\/\/[^/]+/, '')}`)
    })
    page.on('request', (r) => r.resourceType() !== 'eventsource' && this.pending.add(r))
    for (const end of ['requestfinished', 'requestfailed'] as const) page.on(end, (r) => this.pending.delete(r))
  }

  private note(what: string): void {
    this.problems.push(`${this.role} ${this.at}: ${what}`)
  }

  /** Pictures the pages and whatever they lead to, and returns how many kinds there were. */
  async from(first: string[]): Promise<number> {
    const queue = [...first]
    while (queue.length > 0) {
      const path = queue.shift()!
      const kind = kindOf(path)
      if (this.seen.has(kind)) continue
      this.seen.add(kind)
      this.at = kind
      await this.page.setViewportSize({ width: widths[0]!, height: 900 })
      this.pending.clear() // the page that is left may end without a word
      await this.page.goto(path)
      queue.push(...(await this.picture(kind)), ...(await this.entry(kind)))
      console.log(`${this.role} ${kind}`)
    }
    return this.seen.size
  }

  /** Pictures the page as it stands, at each width. It returns the addresses the page links to. */
  private async picture(kind: string): Promise<string[]> {
    const name = kind.replace(/^\//, '').replace(/\//g, '_') || 'home'
    let found: string[] = []
    for (const width of widths) {
      this.at = `${kind} at ${width} px`
      await this.page.setViewportSize({ width, height: width > 500 ? 900 : 844 })
      await this.settle()
      const { wide, wrong, links, below } = await this.page.evaluate(look)
      for (const w of [...wide, ...wrong]) this.note(w)
      // The window is made as high as what it holds: the back office scrolls inside it, and bars of H5 keep to its edge.
      if (below > 0) {
        await this.page.setViewportSize({ width, height: Math.min((width > 500 ? 900 : 844) + below, 8000) })
        await this.settle()
      }
      await this.page.screenshot({ path: join(folder, this.role, `${name}-${width}.png`), fullPage: true })
      if (width === widths[0]) found = links.filter((p) => this.face.test(p) && !skipped.test(p))
    }
    return found
  }

  /** Opens the first entry of a list that is opened by a click: a page of its own is returned, a panel pictured beside. */
  private async entry(kind: string): Promise<string[]> {
    await this.page.setViewportSize({ width: widths[0]!, height: 900 })
    const row = this.page.locator('main .el-table__body tr.el-table__row, main .van-list .van-cell--clickable').first()
    if (!(await row.isVisible().catch(() => false))) return []
    const before = new URL(this.page.url())
    await row.locator('td').nth(1).or(row).first().click({ timeout: 3000 }).catch(() => undefined)
    await this.settle()
    const after = new URL(this.page.url())
    if (after.pathname !== before.pathname) return [after.pathname]
    const panel = await this.page.locator('.el-drawer:visible, [role="dialog"]:visible').count()
    if (after.search !== before.search || panel > 0) await this.picture(`${kind}-open`)
    return []
  }

  /** Waits until nothing is on its way, drawn or fetched, for a moment; on a loaded machine up to a minute. */
  private async settle(): Promise<void> {
    for (let quiet = 0, end = Date.now() + patience; quiet < 4 && Date.now() < end; ) {
      await this.page.waitForTimeout(100)
      quiet = this.pending.size === 0 ? quiet + 1 : 0
      if (quiet === 4 && (await this.page.evaluate(busy))) quiet = 0
    }
    for (const r of [...this.pending]) {
      this.note(`no answer within a minute: ${r.method()} ${new URL(r.url()).pathname}`)
      this.pending.delete(r)
    }
  }
}

/** Runs in the page: whether something is still drawn as being fetched. */
function busy(): boolean {
  return [...document.querySelectorAll<HTMLElement>('.el-skeleton, .el-loading-mask, [aria-busy="true"]')].some((e) => e.offsetParent)
}

/** Runs in the page: what is wider than its window, which states of failure are shown, where it leads to. */
function look(): { wide: string[]; wrong: string[]; links: string[]; below: number } {
  const wide: string[] = []
  for (const box of [document.documentElement, ...document.querySelectorAll<HTMLElement>('main')]) {
    const over = box.scrollWidth - (box === document.documentElement ? window.innerWidth : box.clientWidth)
    if (over > 0 && getComputedStyle(box).overflowX !== 'hidden') wide.push(`${over} px wider than the window`)
  }
  const wrong: string[] = []
  const failed = /^(加载失败|没有加载成功|没有查看权限|您没有查看的权限|没有找到|没有找到您要的内容|没有找到页面)$/
  for (const title of document.querySelectorAll<HTMLElement>('.state .title')) {
    const text = title.textContent?.trim() ?? ''
    if (failed.test(text) && title.offsetParent) wrong.push(text)
  }
  for (const skeleton of document.querySelectorAll<HTMLElement>('.el-skeleton, .el-loading-mask, [aria-busy="true"]')) {
    if (skeleton.offsetParent) wrong.push('still loading')
  }
  const links = [...document.querySelectorAll<HTMLAnchorElement>('a[href]')].filter((a) => a.origin === location.origin).map((a) => a.pathname + a.search)
  const main = document.querySelector<HTMLElement>('main.hq-main')
  const below = Math.max(main ? main.scrollHeight - main.clientHeight : 0, document.documentElement.scrollHeight - window.innerHeight)
  return { wide, wrong: [...new Set(wrong)], links, below }
}
