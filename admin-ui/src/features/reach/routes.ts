import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'policies/:id(\\d+)/companies',
    name: 'policy-companies',
    component: () => import('./ReversePage.vue'),
    meta: {
      title: '适配企业',
      parent: 'policies',
      permissions: ['policy.reverse', 'policy.push', 'policy.push_approve', 'policy.grant', 'policy.grant_decide'],
      help: [
        {
          heading: '怎样得出',
          text: '把政策的申报条件与全区企业库逐家比对，每个发布的版本自动匹配一次并留存结果。打开企业名单会记入审计日志。',
        },
        {
          heading: '推送',
          text: '只告知已授权政策推送的企业；每家企业对同一政策只告知一次，每周次数有上限，夜间不发送。计划须由另一人审批。',
        },
        {
          heading: '免申即享',
          text: '名单只采用部门核实的数据，依据在生成时留存；审定后公示，公示期满且异议处理完毕，再由企业确认，无需申报。',
        },
      ],
    },
  },
] satisfies FeatureRoute[]
