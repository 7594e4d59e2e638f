import type { WorkbenchCard } from '@/router/feature'

export default [
  {
    id: 'content.review',
    title: '待审核的内容',
    order: 60,
    permissions: ['content.publish'],
    component: () => import('./ReviewCard.vue'),
  },
  {
    id: 'content.drafts',
    title: '没有写完的内容',
    order: 62,
    permissions: ['content.edit'],
    component: () => import('./DraftCard.vue'),
  },
] satisfies WorkbenchCard[]
