import { computed, ref } from 'vue'
import { useRouter } from 'vue-router'
import type { PaletteItem } from '@/components/types'
import { featureRoutes } from '@/router'
import type { Command } from '@/router/feature'
import { useSession } from '@/stores/session'
import { useSignOut } from './useSignOut'

const contributed = Object.values(
  import.meta.glob<Command[]>('../features/*/commands.ts', { eager: true, import: 'default' }),
).flat()

/** What Ctrl-K offers: the pages of the menu and the features' actions, as far as the person may use them. */
export function usePalette() {
  const router = useRouter()
  const session = useSession()
  const signOut = useSignOut()
  const open = ref(false)

  const commands = computed<Command[]>(() => [
    ...featureRoutes
      .filter((r) => r.meta?.menu)
      .map((r) => ({
        id: `route-${String(r.name)}`,
        title: r.meta?.title ?? '',
        group: r.meta?.menu ?? '',
        permissions: r.meta?.permissions,
        run: () => void router.push({ name: r.name! }),
      })),
    ...contributed,
    { id: 'sign-out', title: '退出登录', group: '账号', keywords: 'logout', run: () => void signOut() },
  ])
  const usable = computed(() => commands.value.filter((c) => session.can(...(c.permissions ?? []))))
  const items = computed<PaletteItem[]>(() =>
    usable.value.map(({ id, title, group, keywords }) => ({ id, title, group, keywords })),
  )

  function run(id: string): void {
    usable.value.find((c) => c.id === id)?.run()
  }

  return { open, items, run }
}
