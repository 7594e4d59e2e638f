import type { RouteRecordRaw } from 'vue-router'

const features = import.meta.glob<{ default: RouteRecordRaw[] }>('../features/*/routes.ts', { eager: true })

/** Every feature's routes. A feature that is not there appears in no tab and no menu. */
export const routes: RouteRecordRaw[] = Object.values(features).flatMap((feature) => feature.default)
