import { OfficeBuilding } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'institutions',
    name: 'institutions',
    component: () => import('./InstitutionList.vue'),
    meta: {
      title: '机构列表',
      menu: '机构',
      icon: OfficeBuilding,
      order: 1,
      permissions: ['institution.view'],
      help: [
        { heading: '暂停服务', text: '暂停后，该机构的产品不再对企业展示，机构也不能提交新产品；恢复后重新展示。' },
      ],
    },
  },
  {
    path: 'institution',
    name: 'my-institution',
    component: () => import('./InstitutionPage.vue'),
    meta: { title: '本机构', menu: '机构', icon: OfficeBuilding, order: 1, permissions: ['product.edit'] },
  },
  {
    path: 'institutions/new',
    name: 'institution-new',
    component: () => import('./InstitutionForm.vue'),
    meta: { title: '登记机构', parent: 'institutions', permissions: ['institution.manage'] },
  },
  {
    path: 'institutions/:id(\\d+)',
    name: 'institution',
    component: () => import('./InstitutionPage.vue'),
    meta: { title: '机构详情', parent: 'institutions', permissions: ['institution.view'] },
  },
  {
    path: 'institutions/:id(\\d+)/edit',
    name: 'institution-edit',
    component: () => import('./InstitutionForm.vue'),
    meta: { title: '修改机构', parent: 'institutions', permissions: ['institution.manage'] },
  },
] satisfies FeatureRoute[]
