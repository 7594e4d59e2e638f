import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/messages',
    name: 'messages',
    component: () => import('./MessageList.vue'),
    meta: {
      title: '我的消息',
      auth: true,
      order: 10,
      entry: { place: 'mine', label: '我的消息', icon: 'envelop-o', badge: 'unread' },
    },
  },
  {
    path: '/messages/settings',
    name: 'message-settings',
    component: () => import('./MessageSettings.vue'),
    meta: { title: '消息设置', auth: true },
  },
] satisfies RouteRecordRaw[]
