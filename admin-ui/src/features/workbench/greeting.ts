/** The word for the hour in Beijing. */
export function greeting(now: Date): string {
  const hour = Number(
    new Intl.DateTimeFormat('en', { timeZone: 'Asia/Shanghai', hour: 'numeric', hourCycle: 'h23' }).format(now),
  )
  if (hour < 6) return '夜深了'
  if (hour < 12) return '上午好'
  return hour < 18 ? '下午好' : '晚上好'
}

/** What a day begins with, by what somebody may do; the first that fits. */
const duties: { right: string; text: string }[] = [
  { right: 'ticket.dispatch', text: '先看临近时限的工单，再受理新提交的诉求。' },
  { right: 'ticket.sign', text: '请先签收新派来的工单，并在时限内反馈办理结果。' },
  { right: 'application.handle', text: '请在时限内受理企业的申请；产品信息有变化的，及时更新并提交审核。' },
  { right: 'product.review_government', text: '请复核平台初审通过的产品和机构，退回的写明原因。' },
  { right: 'content.publish', text: '请审核待发布的内容，确认来源和口径后再发布。' },
  { right: 'product.review_platform', text: '请先处理待审核的机构、产品和企业认证，再安排内容更新。' },
  { right: 'identity.users', text: '在这里管理账号；人员变动请当天调整。' },
  { right: 'identity.roles', text: '在这里调整角色和权限；修改对在线用户的下一次操作生效。' },
  { right: 'audit.view', text: '在这里查看操作记录；审计记录只能查看，不能修改。' },
]

export const dutyOf = (can: (right: string) => boolean): string => duties.find((d) => can(d.right))?.text ?? ''
