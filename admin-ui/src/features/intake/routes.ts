import { Connection, MessageBox } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'tickets/inbox',
    name: 'inbox',
    component: () => import('./InboxPage.vue'),
    meta: {
      title: '来件箱',
      menu: '工单',
      icon: MessageBox,
      order: 3,
      permissions: ['intake.inbox'],
      help: [
        {
          heading: '哪些来件在这里',
          text: '发到诉求邮箱的邮件，以及须先核实的对接方提交的诉求。微信消息由诉求人选好事项后直接成为工单，不经过来件箱。',
        },
        {
          heading: '转为工单',
          text: '选定诉求类型，核对标题、内容和联系人后提交。邮件可以没有电话；受理后，流水号和查询码自动回复给发件人，只发一次。',
        },
        {
          heading: '回信怎样归到原工单',
          text: '同一发件人回复本平台的邮件时，内容自动记入原工单的办理过程。引用不符的按新来件处理，并在来件上提示。',
        },
        { heading: '自动来信', text: '自动回复、退信、群发邮件和本平台自己的邮件不作答复，可在“自动来信”中查看。' },
      ],
    },
  },
  {
    path: 'system/open311',
    name: 'open311',
    component: () => import('./Open311Page.vue'),
    meta: {
      title: '开放接口（Open311）',
      menu: '系统',
      icon: Connection,
      order: 12,
      permissions: ['intake.open311'],
      help: [
        {
          heading: '接口是什么',
          text: '按国际通行的 Open311 GeoReport v2 约定，合作单位的系统可以提交诉求、查询进度。地址、申请密钥的办法和示例见门户的“对接说明”（/open311），可以把这个地址发给对方。',
        },
        {
          heading: '开放与公开',
          text: '开放的事项，持密钥的对接方可以提交。公开的事项，任何人可以查询对接方所提诉求的进度：只有固定用语和约一百米精度的位置，没有诉求人的信息。',
        },
        { heading: '先核实再受理', text: '新接入的单位可以先设为“先核实”，其诉求进入来件箱，由坐席核实后转为工单。' },
      ],
    },
  },
] satisfies FeatureRoute[]
