import type { RouteRecordRaw } from 'vue-router'

const byId = (route: { params: Record<string, string | string[]> }) => ({ id: Number(route.params['id']) })

export default [
  {
    path: '/demands',
    name: 'demands',
    component: () => import('./HallPage.vue'),
    meta: { title: '需求大厅', order: 35, entry: [{ place: 'home', label: '需求大厅', icon: 'shop-o' }] },
  },
  {
    path: '/demands/:id(\\d+)',
    name: 'demand-hall',
    component: () => import('./HallDetail.vue'),
    props: byId,
    meta: { title: '需求详情' },
  },
  {
    path: '/my/demands',
    name: 'my-demands',
    component: () => import('./DemandList.vue'),
    meta: {
      title: '我的需求',
      auth: true,
      order: 42,
      entry: [{ place: 'mine', label: '我的需求', icon: 'guide-o' }],
    },
  },
  {
    path: '/my/demands/new',
    name: 'demand-new',
    component: () => import('./FormPage.vue'),
    meta: { title: '发布需求', auth: true },
  },
  {
    path: '/my/demands/:id(\\d+)',
    name: 'my-demand',
    component: () => import('./DemandDetail.vue'),
    props: byId,
    meta: { title: '需求进度', auth: true },
  },
  {
    path: '/my/demands/:id(\\d+)/edit',
    name: 'demand-edit',
    component: () => import('./FormPage.vue'),
    props: byId,
    meta: { title: '修改需求', auth: true },
  },
] satisfies RouteRecordRaw[]
