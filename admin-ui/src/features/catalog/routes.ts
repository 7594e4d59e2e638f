import { Box, Goods, Plus, Stamp } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

const review = ['product.review_platform', 'product.review_government']
const lent = review.map((p) => `${p}:deputed`)

export default [
  {
    path: 'product-reviews',
    name: 'product-reviews',
    component: () => import('./ReviewQueue.vue'),
    meta: {
      title: '产品审核',
      menu: '产品审核',
      icon: Stamp,
      order: 1,
      permissions: [...review, ...lent],
      help: [
        { heading: '审核顺序', text: '平台运营初审通过后，由政府部门终审，终审通过即上架。先提交的排在前面。' },
        {
          heading: '谁不能审核',
          text: '提交人不能审核自己提交的产品，初审和终审须由不同的人办理。受托审核的，委托人和受托人视为同一人。',
        },
        { heading: '新版本', text: '已上架产品的修改作为新版本提交，审核通过之前，企业看到的仍是原版本。' },
      ],
    },
  },
  {
    path: 'products',
    name: 'products',
    component: () => import('./ProductList.vue'),
    meta: {
      title: '产品列表',
      menu: '产品审核',
      icon: Goods,
      order: 2,
      permissions: [...review, 'product.take_down'],
    },
  },
  {
    path: 'my-products',
    name: 'my-products',
    component: () => import('./ProductList.vue'),
    meta: {
      title: '我的产品',
      menu: '机构',
      icon: Box,
      order: 2,
      permissions: ['product.edit'],
      help: [
        {
          heading: '怎样上架',
          text: '新建产品并保存为草稿，填写完整后提交审核。初审、终审都通过后，企业就能在门户和手机端看到。',
        },
        { heading: '修改已上架的产品', text: '选择“修改为新版本”。新版本审核通过之前，企业看到的仍是原版本。' },
      ],
    },
  },
  {
    path: 'products/new',
    name: 'product-new',
    component: () => import('./ProductForm.vue'),
    meta: { title: '新建产品', menu: '机构', icon: Plus, order: 3, permissions: ['product.edit'] },
  },
  {
    path: 'products/:id(\\d+)',
    name: 'product',
    component: () => import('./ProductPage.vue'),
    meta: { title: '产品详情', parent: 'products', permissions: ['product.view'] },
  },
  {
    path: 'products/:id(\\d+)/edit',
    name: 'product-edit',
    component: () => import('./ProductForm.vue'),
    meta: { title: '修改产品', parent: 'my-products', permissions: ['product.edit'] },
  },
] satisfies FeatureRoute[]
