import type { WorkbenchCard } from '@/router/feature'

export default [
  {
    id: 'enterprise.reviews',
    title: '待审核的企业认证',
    order: 30,
    permissions: ['enterprise.review', 'enterprise.review:deputed'],
    component: () => import('./ReviewCard.vue'),
  },
] satisfies WorkbenchCard[]
