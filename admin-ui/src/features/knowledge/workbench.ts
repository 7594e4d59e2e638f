import type { WorkbenchCard } from '@/router/feature'

export default [
  {
    id: 'knowledge.todo',
    title: '知识待办',
    order: 64,
    permissions: ['knowledge.edit', 'knowledge.review'],
    component: () => import('./TodoCard.vue'),
  },
] satisfies WorkbenchCard[]
