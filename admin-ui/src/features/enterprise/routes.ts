import {
  Connection,
  DataAnalysis,
  Grid,
  Histogram,
  OfficeBuilding,
  PriceTag,
  Share,
  Stamp,
} from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'enterprises',
    name: 'enterprises',
    component: () => import('./EnterpriseList.vue'),
    meta: {
      title: '企业列表',
      menu: '企业',
      icon: OfficeBuilding,
      order: 1,
      permissions: ['enterprise.view'],
      help: [
        { heading: '怎样查找', text: '输入企业名称中的两个字以上，或统一社会信用代码的前几位。' },
        {
          heading: '数据来源',
          text: '详情中每项数据都注明来源和日期。登记信息以登记机关为准，企业填报的数据不会覆盖登记信息。',
        },
      ],
    },
  },
  {
    path: 'enterprises/:id(\\d+)',
    name: 'enterprise',
    component: () => import('./EnterprisePage.vue'),
    meta: { title: '企业详情', parent: 'enterprises', permissions: ['enterprise.view'] },
  },
  {
    path: 'enterprises/:id(\\d+)/portrait',
    name: 'enterprise-portrait',
    component: () => import('./PortraitPage.vue'),
    meta: { title: '企业画像', parent: 'enterprises', permissions: ['enterprise.view'] },
  },
  {
    path: 'enterprise-reports/:number([A-Z0-9-]+)',
    name: 'enterprise-report',
    component: () => import('./CreditReportPage.vue'),
    meta: { title: '企业征信报告', parent: 'enterprises', permissions: ['enterprise.view'] },
  },
  {
    path: 'enterprise-sources',
    name: 'enterprise-sources',
    component: () => import('./SourcePage.vue'),
    meta: {
      title: '数据来源',
      menu: '企业',
      icon: Share,
      order: 5,
      permissions: ['enterprise.golden'],
      help: [
        {
          heading: '采用哪个来源',
          text: '先看是否在有效天数内，再看优先级、数据日期、是否部门数据、最后记录。企业详情的“来源与冲突”逐项说明采用的原因。',
        },
      ],
    },
  },
  {
    path: 'enterprise-quality',
    name: 'enterprise-quality',
    component: () => import('./QualityPage.vue'),
    meta: {
      title: '数据质量',
      menu: '企业',
      icon: DataAnalysis,
      order: 6,
      permissions: ['enterprise.import', 'enterprise.quality'],
      help: [
        {
          heading: '怎样评分',
          text: '导入的每一行按规则检查，规则的通过率按权重平均为维度分和总分。规则修改后形成新版本，以前的评分不变。',
        },
      ],
    },
  },
  {
    path: 'size-editions',
    name: 'size-editions',
    component: () => import('./SizeEditionPage.vue'),
    meta: {
      title: '划型标准',
      menu: '企业',
      icon: Histogram,
      order: 8,
      permissions: ['enterprise.golden', 'enterprise.size_publish'],
      help: [
        {
          heading: '怎样更换标准',
          text: '以现行标准为底稿录入新一版，预览哪些企业的类型会变化，由未参与录入的同事发布，自施行日期起采用。已经施行的标准不能改写。',
        },
      ],
    },
  },
  {
    path: 'enterprise-tags',
    name: 'enterprise-tags',
    component: () => import('./TagPage.vue'),
    meta: {
      title: '企业标签',
      menu: '企业',
      icon: PriceTag,
      order: 7,
      permissions: ['enterprise.tags', 'enterprise.tag_publish'],
      help: [
        {
          heading: '两种标签',
          text: '按规则产生的标签用与申报条件相同的条件判断，企业数据变化后几分钟内更新。人工标注的在企业详情中标注和取消，写明原因。',
        },
        {
          heading: '谁能看到',
          text: '按规则产生的标签属于企业数据，查看和筛选须有企业授权或法定依据；人工标注的是平台自己的工作记录。',
        },
      ],
    },
  },
  {
    path: 'enterprise-fields',
    name: 'enterprise-fields',
    component: () => import('./ExtraFieldPage.vue'),
    meta: {
      title: '扩展字段',
      menu: '企业',
      icon: Grid,
      order: 7,
      permissions: ['enterprise.extra_fields'],
      help: [
        {
          heading: '哪些信息要企业授权',
          text: '“服务管理信息”是平台自己的工作记录，不需要授权。其余分组属于企业数据，查看、筛选和导出按数据授权和法定依据执行。',
        },
        { heading: '停用', text: '字段不删除。停用后不再填写，已经填写的内容和记录保留。' },
      ],
    },
  },
  {
    path: 'enterprise-reviews',
    name: 'enterprise-reviews',
    component: () => import('./ReviewList.vue'),
    meta: {
      title: '认证审核',
      menu: '企业',
      icon: Stamp,
      order: 2,
      permissions: ['enterprise.review', 'enterprise.review:deputed', 'enterprise.review_undo'],
      help: [
        {
          heading: '审核什么',
          text: '核对营业执照上的名称、统一社会信用代码和法定代表人与填写内容是否一致。登记系统给不出结果时，企业才会提交人工审核。',
        },
        {
          heading: '时限和委托',
          text: '提交后 2 个工作日内审核，超时的标明并提醒审核人员。离岗期间可以在“系统—委托审核”委托能查看企业的同事代为审核，审核记录写明受谁委托。',
        },
        { heading: '退回', text: '选择退回原因，必要时补充说明。企业会看到原因，修改后可以重新提交。' },
      ],
    },
  },
  {
    path: 'enterprise-joins',
    name: 'enterprise-joins',
    component: () => import('./DisputeList.vue'),
    meta: {
      title: '加入申请核实',
      menu: '企业',
      icon: Connection,
      order: 3,
      permissions: ['enterprise.review'],
      help: [
        {
          heading: '什么时候由平台处理',
          text: '信用代码已被认证时，后来者向企业负责人申请加入；负责人不同意或不处理，申请人可以提交平台核实。',
        },
      ],
    },
  },
] satisfies FeatureRoute[]
