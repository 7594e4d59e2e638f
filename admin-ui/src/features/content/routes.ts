import { EditPen, Reading } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

const rights = ['content.edit', 'content.publish']

export default [
  {
    path: 'articles',
    name: 'articles',
    component: () => import('./ArticleList.vue'),
    meta: {
      title: '内容列表',
      menu: '内容',
      icon: Reading,
      order: 1,
      permissions: rights,
      help: [
        {
          heading: '怎样发布一篇内容',
          text: '编写后保存为草稿，提交审核；由没有参与编写的另一位审核人员发布。退回的内容回到草稿，修改后可以再次提交。',
        },
        {
          heading: '定时和有效期',
          text: '填写发布时间的，审核通过后到时间自动出现在门户和移动端；通知到有效期自动消失，都不需要再操作。',
        },
        { heading: '发布后发现错误', text: '先撤下，再重新编辑。撤下立即生效，门户和移动端都不再显示。' },
      ],
    },
  },
  {
    path: 'articles/new',
    name: 'article-new',
    component: () => import('./ArticleForm.vue'),
    meta: { title: '编写内容', menu: '内容', icon: EditPen, order: 2, permissions: ['content.edit'] },
  },
  {
    path: 'articles/:id(\\d+)',
    name: 'article',
    component: () => import('./ArticlePage.vue'),
    meta: { title: '内容详情', parent: 'articles', permissions: rights },
  },
  {
    path: 'articles/:id(\\d+)/edit',
    name: 'article-edit',
    component: () => import('./ArticleForm.vue'),
    meta: { title: '修改内容', parent: 'articles', permissions: ['content.edit'] },
  },
] satisfies FeatureRoute[]
