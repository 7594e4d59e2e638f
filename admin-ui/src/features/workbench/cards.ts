import type { WorkbenchCard } from '@/router/feature'

const found = import.meta.glob<WorkbenchCard[]>('../*/workbench.ts', { eager: true, import: 'default' })

/** Every card a feature contributes, in order. */
export const workbenchCards: WorkbenchCard[] = Object.values(found)
  .flat()
  .sort((a, b) => a.order - b.order)
