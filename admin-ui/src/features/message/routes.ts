import { Bell, Promotion } from '@element-plus/icons-vue'
import type { FeatureRoute } from '@/router/feature'

export default [
  {
    path: 'messages',
    name: 'messages',
    component: () => import('./MessageList.vue'),
    meta: {
      title: '我的消息',
      menu: '消息',
      icon: Bell,
      order: 1,
      help: [
        {
          heading: '这里有什么',
          text: '与您的工作有关的通知：等您审核的产品、企业的新申请、审核结果等。打开即标为已读。',
        },
      ],
    },
  },
  {
    path: 'message-letters',
    name: 'message-letters',
    component: () => import('./LetterList.vue'),
    meta: {
      title: '发送记录',
      menu: '消息',
      icon: Promotion,
      order: 2,
      permissions: ['message.view'],
      help: [
        {
          heading: '结果不明是什么意思',
          text: '消息已交给运营商或微信，但没有收到应答。短信会自动向运营商查询一天；微信在十分钟内自动核实，之后不再自动重发，以免企业收到两遍。',
        },
        {
          heading: '什么时候可以重发',
          text: '向本人核实确实没有收到之后，填写核实情况再重发。重发记入审计日志。验证码不能重发，请由本人重新获取。',
        },
        { heading: '夜间短信', text: '22:00 至次日 8:00 的普通短信延后到 8:00 发送，显示为“待发送”。' },
      ],
    },
  },
] satisfies FeatureRoute[]
