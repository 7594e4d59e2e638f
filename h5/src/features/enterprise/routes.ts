import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/company',
    name: 'company',
    component: () => import('./CompanyPage.vue'),
    meta: { title: '我的企业', auth: true },
  },
  {
    path: '/company/verify',
    name: 'company-verify',
    component: () => import('./VerifyPage.vue'),
    meta: { title: '企业认证', auth: true },
  },
  {
    path: '/company/change',
    name: 'company-change',
    alias: '/company/name', // where messages of before lead
    component: () => import('./ChangePage.vue'),
    meta: { title: '变更登记', auth: true },
  },
  {
    path: '/company/facts',
    name: 'company-facts',
    component: () => import('./FactsPage.vue'),
    meta: { title: '填报经营数据', auth: true },
  },
  {
    path: '/company/extra',
    name: 'company-extra',
    component: () => import('./ExtraPage.vue'),
    meta: { title: '填写补充信息', auth: true },
  },
  {
    path: '/company/books',
    name: 'company-books',
    component: () => import('./BooksPage.vue'),
    meta: { title: '往年经营数据', auth: true },
  },
  {
    path: '/company/portrait',
    name: 'company-portrait',
    component: () => import('./PortraitPage.vue'),
    meta: { title: '企业画像', auth: true },
  },
  {
    path: '/company/members',
    name: 'company-members',
    component: () => import('./MembersPage.vue'),
    meta: { title: '企业成员', auth: true },
  },
] satisfies RouteRecordRaw[]
