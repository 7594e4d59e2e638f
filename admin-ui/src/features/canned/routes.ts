import { ChatLineSquare } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'canned-replies',
    name: 'canned-replies',
    component: () => import('./CannedList.vue'),
    meta: {
      title: '常用语',
      menu: '知识库',
      icon: ChatLineSquare,
      order: 4,
      permissions: ['ticket.answer', 'ticket.reply', 'canned.share'],
      help: [
        {
          heading: '怎样使用',
          text: '在答复框里输入“/”加快捷码，方向键选择，回车插入；{{联系人}}、{{工单号}}、{{承办单位}}、{{今天}}会按工单自动填写。',
        },
        { heading: '排列顺序', text: '您自己用得多的排在前面，不受别人影响。' },
      ],
    },
  },
] satisfies FeatureRoute[]
