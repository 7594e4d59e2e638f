import { ChatLineSquare, Setting, Trophy } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'evaluations',
    name: 'evaluations',
    component: () => import('./EvaluationList.vue'),
    meta: {
      title: '服务评价',
      menu: '申请',
      icon: ChatLineSquare,
      order: 5,
      permissions: ['evaluation.view'],
      help: [
        {
          heading: '评价从哪里来',
          text: '企业在机构受理后可以评价服务中的感受，办结后评价一次；各可修改一次，首次评价保留可查。办结后几天内没有评价的，系统发一次短信提醒。',
        },
        { heading: '回复', text: '机构对每条评价回复一次；企业阅读前可以修改。' },
        {
          heading: '举报',
          text: '机构可举报辱骂、泄密、不实或广告。运营人员可隐藏文字，评分仍保留；认为评分也不应计入的，须另一人确认。',
        },
      ],
    },
  },
  {
    path: 'evaluations/ranking',
    name: 'evaluation-ranking',
    component: () => import('./RankingPage.vue'),
    meta: {
      title: '服务评价排名',
      menu: '机构',
      icon: Trophy,
      order: 20,
      permissions: ['evaluation.view'],
      help: [
        {
          heading: '怎样排名',
          text: '按排名分从高到低。排名分是机构自己的评价与全区平均分的加权平均：评价越多，越接近机构自己的平均分。评价数不足的不参加排名。',
        },
      ],
    },
  },
  {
    path: 'system/evaluation',
    name: 'evaluation-settings',
    component: () => import('./SettingsPage.vue'),
    meta: {
      title: '服务评价设置',
      menu: '系统',
      icon: Setting,
      order: 11,
      permissions: ['evaluation.manage'],
      help: [
        { heading: '评价表', text: '每个档次的名称、提示语和意见标签可以调整；某类服务可以有专用的评价表。' },
        { heading: '版本', text: '修改后形成新版本，已有的评价按原来的表保留。' },
      ],
    },
  },
] satisfies FeatureRoute[]
