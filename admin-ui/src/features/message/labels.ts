import { CircleCheck, CircleClose, Clock, Promotion, QuestionFilled } from '@element-plus/icons-vue'
import type { Channel, LetterState } from '@/api/message'
import type { LabelTable } from '@/components/types'

export const letterState: LabelTable<LetterState> = {
  queued: { text: '待发送', tone: 'primary', icon: Clock },
  sending: { text: '发送中', tone: 'primary', icon: Promotion },
  sent: { text: '已发送', tone: 'success', icon: CircleCheck },
  refused: { text: '未送出', tone: 'danger', icon: CircleClose },
  unknown: { text: '结果不明', tone: 'warning', icon: QuestionFilled },
}

export const channels: Record<Channel, string> = { sms: '短信', wechat: '微信' }

const groups: Record<string, string> = {
  application: '申请',
  ticket: '诉求',
  enterprise: '企业认证',
  product: '产品',
  exchange: '数据回流',
  operations: '系统运行',
}

/** A kind this build does not know yet reads as a plain notice. */
export const groupLabel = (group: string): string => groups[group] ?? '通知'

/** What a provider's code means, and what to do; the code itself is always shown beside it. */
const codes: Record<string, string> = {
  EXPIRED: '超过时效没有送出，不再发送',
  SEAL_BROKEN: '收件人无法解密，请联系系统管理员',
  '43004': '本人没有关注公众号，只在平台内通知',
  '43101': '本人拒收此类消息',
  '40003': '微信账号已失效，需要本人重新绑定',
  '40037': '微信模板编号有误，请核对配置',
  '47003': '微信模板的字段与配置不符，请核对模板',
  'isv.MOBILE_NUMBER_ILLEGAL': '手机号无效',
  'isv.BUSINESS_LIMIT_CONTROL': '超过运营商对同一号码的次数限制，稍后自动再试',
  'isv.AMOUNT_NOT_ENOUGH': '短信账户余额不足，请充值',
  'isv.OUT_OF_SERVICE': '短信账户已停用，请联系服务商',
  'isv.SMS_TEMPLATE_ILLEGAL': '短信模板编号有误，请核对配置',
  'isv.SMS_SIGNATURE_ILLEGAL': '短信签名有误，请核对配置',
}

export const codeText = (code: string): string => codes[code] ?? ''
