import { readonly, ref, type Ref } from 'vue'

/** Why a part of the program did not come: a newer one is out, the line is down, or something else. */
export type Missing = 'updated' | 'offline' | 'broken'

/** The router, as far as it is used here. */
interface Ways {
  onError(on: (error: unknown, to: { fullPath: string }) => void): unknown
  resolve(to: string): { href: string }
}

/** What browsers say when a module does not come. */
const failed = /dynamically imported module|importing a module script failed|unable to preload css/i

const missing = ref<Missing | ''>('')
let wanted = ''

/**
 * Watches for parts of the program that cannot be loaded. An open page asks for the parts of its own version; after an
 * upgrade the server has others. base is where the program's index lies.
 */
export function watchParts(router: Ways, base: string): void {
  const mine = document.querySelector('script[type="module"][src]')?.getAttribute('src') ?? ''

  async function told(): Promise<void> {
    if (missing.value) return
    missing.value = await why(base, mine)
  }
  window.addEventListener('vite:preloadError', () => void told())
  router.onError((error, to) => {
    if (!(error instanceof Error) || !failed.test(error.message)) return
    wanted = router.resolve(to.fullPath).href
    void told()
  })
}

/** Asks the server which version it has. */
async function why(base: string, mine: string): Promise<Missing> {
  try {
    const answer = await fetch(base, { cache: 'no-store' })
    if (!answer.ok) return 'broken'
    return mine && !(await answer.text()).includes(mine) ? 'updated' : 'broken'
  } catch {
    return 'offline'
  }
}

/** What the notice shows and does. Nothing is loaded anew by itself: somebody may be in the midst of writing. */
export function useUpdated(): {
  missing: Readonly<Ref<Missing | ''>>
  refresh: () => void
  dismiss: () => void
} {
  return {
    missing: readonly(missing),
    refresh: () => {
      if (wanted) window.location.assign(wanted)
      else window.location.reload()
    },
    dismiss: () => {
      missing.value = ''
      wanted = ''
    },
  }
}

export const missingWords: Record<Missing, string> = {
  updated: '系统已更新，请刷新页面。正在填写的内容请先提交或另行保存。',
  offline: '网络不可用，内容没有加载出来，请检查网络后刷新页面。',
  broken: '内容没有加载出来，请刷新页面重试。正在填写的内容请先提交或另行保存。',
}
