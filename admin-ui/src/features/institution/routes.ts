import { Files, OfficeBuilding, Stamp, User } from '@element-plus/icons-vue'
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
    path: 'institution-applications',
    name: 'institution-applications',
    component: () => import('./ApplicationList.vue'),
    meta: {
      title: '入驻审核',
      menu: '机构',
      icon: Stamp,
      order: 2,
      permissions: ['institution.review', 'institution.approve', 'institution.view'],
      help: [
        {
          heading: '审核什么',
          text: '核对机构名称、统一社会信用代码、法定代表人与营业执照一致，许可在有效期内且与服务内容相符。先由平台运营初审，再由政府终审，两次审核由不同的人办理；每次审核 2 个工作日，超时的标明并提醒。',
        },
        {
          heading: '退回和不予通过',
          text: '材料可以补正的选择退回，申请人修改后再次提交，每次提交修改了哪些内容都会列出；不符合入驻条件的选择不予通过。',
        },
        {
          heading: '终审通过之后',
          text: '机构随即登记，申请人的账号转为机构管理员账号。首次登录的密码只显示一次，请电话告诉本人。',
        },
      ],
    },
  },
  {
    path: 'institution-renewals',
    name: 'institution-renewals',
    component: () => import('./RenewalList.vue'),
    meta: {
      title: '证照更新审核',
      menu: '机构',
      icon: Files,
      order: 3,
      permissions: ['institution.review', 'institution.view'],
      help: [
        {
          heading: '审核什么',
          text: '核对证照名称、编号和有效期与照片一致。通过后，机构信息中的证照随即更新；退回时写明原因，机构可以重新提交。',
        },
      ],
    },
  },
  {
    path: 'institution-operators',
    name: 'institution-operators',
    component: () => import('./OperatorPage.vue'),
    meta: { title: '本机构操作员', menu: '机构', icon: User, order: 2, permissions: ['institution.operators'] },
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
