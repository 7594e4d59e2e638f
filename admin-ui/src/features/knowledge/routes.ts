import { Collection, EditPen, List } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

const rights = ['knowledge.view', 'knowledge.edit', 'knowledge.review']

export default [
  {
    path: 'knowledge',
    name: 'knowledge-list',
    component: () => import('./KnowledgeList.vue'),
    meta: {
      title: '知识条目',
      menu: '知识库',
      icon: Collection,
      order: 1,
      permissions: rights,
      help: [
        {
          heading: '怎样发布一条知识',
          text: '编写后提交审核，由没有参与编写的另一位审核人员发布。发布后可以在工单答复时检索、引用；可见范围为“公开”的，企业也能查到。',
        },
        {
          heading: '修订时旧版本怎么办',
          text: '修订产生新版本，审核发布前原版本继续有效；每个版本都保留，可以比较差异。',
        },
        {
          heading: '有效期和待复核',
          text: '到期的条目不再出现在检索结果中，列入“待复核”；内容仍然正确的，由审核人员复核确认并填写新的有效期。',
        },
        { heading: '发现答复有误', text: '点“反馈有误”写明原因，责任人和责任单位会在“知识待办”中看到。' },
      ],
    },
  },
  {
    path: 'knowledge/todo',
    name: 'knowledge-todo',
    component: () => import('./KnowledgeTodo.vue'),
    meta: {
      title: '知识待办',
      menu: '知识库',
      icon: List,
      order: 2,
      permissions: ['knowledge.edit', 'knowledge.review'],
      help: [
        {
          heading: '这里有什么',
          text: '待您审核的条目、您或本单位负责的有误反馈和到期条目，以及退回给您修改的草稿。',
        },
      ],
    },
  },
  {
    path: 'knowledge/new',
    name: 'knowledge-new',
    component: () => import('./KnowledgeForm.vue'),
    meta: { title: '编写知识条目', menu: '知识库', icon: EditPen, order: 3, permissions: ['knowledge.edit'] },
  },
  {
    path: 'knowledge/:id(\\d+)',
    name: 'knowledge',
    component: () => import('./KnowledgePage.vue'),
    meta: { title: '知识条目', parent: 'knowledge-list', permissions: rights },
  },
  {
    path: 'knowledge/:id(\\d+)/edit',
    name: 'knowledge-edit',
    component: () => import('./KnowledgeForm.vue'),
    meta: { title: '修改知识条目', parent: 'knowledge-list', permissions: ['knowledge.edit'] },
  },
] satisfies FeatureRoute[]
