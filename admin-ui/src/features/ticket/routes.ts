import { Collection, EditPen, Headset, Tickets, Timer } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'tickets',
    name: 'tickets',
    component: () => import('./TicketList.vue'),
    meta: {
      title: '工单列表',
      menu: '工单',
      icon: Tickets,
      order: 1,
      permissions: ['ticket.view'],
      help: [
        {
          heading: '能看到哪些工单',
          text: '受理席看到全区工单；承办单位看到派给本单位的工单，以及曾经由本单位办理的工单。',
        },
        { heading: '办理顺序', text: '受理后可直接答复、不予受理或派单；承办单位签收、反馈后，由受理席回访并办结。' },
        {
          heading: '退单、延期和挂起',
          text: '承办单位在办理环节里申请退单、延期，由派单的一级审批；等待企业补充材料时可以挂起，办理时限停止计算。',
        },
        {
          heading: '点错了怎么办',
          text: '刚做的一步，本人 15 分钟内可以撤销；之后由本级负责人撤销，办结后只能由督办人员撤销。已经发出的通知不会收回。',
        },
      ],
    },
  },
  {
    path: 'desk',
    name: 'desk',
    component: () => import('./DeskPage.vue'),
    meta: {
      title: '直办',
      menu: '工单',
      icon: Headset,
      order: 0,
      permissions: ['ticket.open'],
      help: [
        {
          heading: '不用鼠标',
          text: '依次填写来电号码、诉求类型、诉求内容和答复，按 F8 直接答复并办结；答复不了的，按 F9 登记并派单。Tab 到下一项，F2 回到来电号码，F4 查知识库。',
        },
        { heading: '诉求类型', text: '输入名称中的字，或拼音首字母，例如“ldyg”就是劳动用工；上下键选择，回车确认。' },
        {
          heading: '直接答复并办结',
          text: '登记、答复和办结同时完成，来电人在线确认的结果即为回访结果，不再另行回访。',
        },
        { heading: '草稿', text: '填写的内容随时保存在服务器上，只有本人能看到；换一台电脑登录也能接着填。' },
      ],
    },
  },
  {
    path: 'tickets/new',
    name: 'ticket-new',
    component: () => import('./TicketForm.vue'),
    meta: { title: '代客登记', menu: '工单', icon: EditPen, order: 2, permissions: ['ticket.open'] },
  },
  {
    path: 'tickets/:id(\\d+)',
    name: 'ticket',
    component: () => import('./TicketPage.vue'),
    meta: { title: '工单详情', parent: 'tickets', permissions: ['ticket.view'] },
  },
  {
    path: 'system/ticket-types',
    name: 'ticket-types',
    component: () => import('./TypeList.vue'),
    meta: {
      title: '诉求类型',
      menu: '系统',
      icon: Collection,
      order: 8,
      permissions: ['ticket.types'],
      help: [
        {
          heading: '表单的版本',
          text: '每次保存表单产生新版本，之后登记的工单使用新表单；已登记的工单仍显示登记时填写的字段。',
        },
        { heading: '停用', text: '停用后不能再登记此类工单，在办的工单照常办理，可以随时恢复使用。' },
        {
          heading: '个人信息',
          text: '标为个人信息的字段加密保存，不进入检索和导出，只有受理席能看到全文；其中的电话须写明原因后查看，并留下记录。',
        },
      ],
    },
  },
  {
    path: 'system/ticket-budgets',
    name: 'ticket-budgets',
    component: () => import('./BudgetPage.vue'),
    meta: {
      title: '办理时限',
      menu: '系统',
      icon: Timer,
      order: 9,
      permissions: ['ticket.budgets'],
      help: [
        {
          heading: '四项时限',
          text: '办理时限自受理起至答复企业；签收时限自派单起；承办时限自签收起，不超过办理时限；催办答复时限自催办起。',
        },
        { heading: '修改的影响', text: '修改只影响之后开始的计时，正在计时的工单仍按原时限。' },
      ],
    },
  },
] satisfies FeatureRoute[]
