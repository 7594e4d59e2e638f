import { CircleCheck, CircleClose, Lock } from '@element-plus/icons-vue'
import type { LabelTable } from '@/components/types'
import { dateTime } from '@/format'
import type { Party, Permission, RoleView, Scope, UserItem, UserState } from './api'

export const userState: LabelTable<UserState> = {
  active: { text: '正常', tone: 'success', icon: CircleCheck },
  locked: { text: '已锁定', tone: 'warning', icon: Lock },
  disabled: { text: '已停用', tone: 'neutral', icon: CircleClose },
}

export const parties: Record<Party, string> = {
  platform: '平台人员',
  government: '政府部门',
  institution: '服务机构',
  enterprise: '企业',
}

/** The kinds of people who work in the back office. */
export const staffParties = ['platform', 'government', 'institution'] as const

export const scopes: Record<Scope, string> = {
  self: '本机构',
  department: '本部门',
  subtree: '本部门及下级',
  district: '全区',
}

/** The scopes that a role of the party may have. */
export const scopesOf: Record<(typeof staffParties)[number], Scope[]> = {
  platform: ['district'],
  government: ['department', 'subtree', 'district'],
  institution: ['self'],
}

const others: Record<string, string> = { anonymous: '未登录', system: '系统', partner: '对接系统' }

export const partyText = (party: string): string => parties[party as Party] ?? others[party] ?? party

/** How far the rights of a role reach, as people read it. */
export function scopeText(role: RoleView): string {
  return role.party === 'enterprise' ? '本企业' : (scopes[role.scope as Scope] ?? role.scope)
}

/** Where a person works. */
export const placeText = (user: UserItem): string =>
  user.departmentName || user.institutionName || user.enterpriseName || ''

export const roleText = (user: UserItem): string => user.roles.map((role) => role.name).join('、')

export interface PermissionGroup {
  name: string
  items: Permission[]
}

/** The permissions under their headings, in the order of the program. */
export function grouped(permissions: Permission[]): PermissionGroup[] {
  const groups: PermissionGroup[] = []
  for (const item of permissions) {
    const group = groups.find((g) => g.name === item.group)
    if (group) group.items.push(item)
    else groups.push({ name: item.group, items: [item] })
  }
  return groups
}

/** The rights of the three administrators, which nobody may join. */
export const exclusive = ['identity.users', 'identity.roles', 'audit.view']

export const joined = (permissions: string[]): boolean => permissions.filter((p) => exclusive.includes(p)).length > 1

const objects: Record<string, string> = {
  user: '账号',
  role: '角色',
  session: '登录会话',
  sms_code: '短信验证码',
  department: '部门',
  audit: '审计日志',
  demo: '演示数据',
  ticket: '工单',
  file: '文件',
  enterprise: '企业',
  institution: '机构',
  institution_application: '机构入驻申请',
  product: '产品',
  application: '申请',
  policy: '政策',
  article: '资讯',
  message: '消息',
  partner: '对接方',
  delivery: '推送记录',
  enterprise_join: '加入企业申请',
  task: '定时任务',
  job: '后台工作',
  health: '健康检查',
  incident: '异常事件',
  backup: '备份',
}

export const objectOptions = Object.entries(objects).map(([value, label]) => ({ value, label }))

/** "工单 12"; what this build has no word for is shown as it is. */
export function objectText(object: string, id?: number): string {
  return [objects[object] ?? object, id || ''].join(' ').trim()
}

const actions: Record<string, string> = {
  'identity.': '身份与账号的全部操作',
  'identity.sign_in': '登录',
  'identity.sign_out': '退出登录',
  'identity.password_try': '输入密码',
  'identity.code': '发送短信验证码',
  'identity.register': '企业注册',
  'identity.department': '新建部门',
  'identity.sign_out_others': '结束其他设备登录',
  'identity.wechat_bind': '绑定微信',
  'identity.wechat_unbind': '解除微信绑定',
  'identity.create': '新建账号',
  'identity.administer': '转为机构管理员',
  'identity.user_edit': '修改账号',
  'identity.user_disable': '停用账号',
  'identity.user_enable': '启用账号',
  'identity.user_unlock': '解除锁定',
  'identity.password': '修改密码',
  'identity.password_reset': '重置密码',
  'identity.user_sessions': '结束他人登录',
  'identity.role': '修改角色权限',
  'identity.role_create': '新建角色',
  'identity.audit_list': '查询审计日志',
  'identity.audit_read': '查看审计日志详情',
  'ticket.': '工单的全部操作',
  'ticket.open': '受理工单',
  'ticket.answer': '直接答复',
  'ticket.decline': '不予受理',
  'ticket.dispatch': '派单',
  'ticket.sign': '签收',
  'ticket.reply': '反馈办理结果',
  'ticket.callback': '登记回访',
  'ticket.close': '办结工单',
  'ticket.reopen': '退回重办',
  'ticket.void': '作废工单',
  'ticket.rate': '评价',
  'enterprise.': '企业的全部操作',
  'enterprise.register': '登记企业',
  'enterprise.verify': '提交企业核验',
  'enterprise.verify_settle': '企业核验结果',
  'enterprise.apply': '申请人工审核',
  'enterprise.approve': '认证审核通过',
  'enterprise.return': '认证审核退回',
  'enterprise.state': '填报企业信息',
  'enterprise.switch': '切换企业',
  'institution.': '机构的全部操作',
  'institution.open': '新增机构',
  'institution.edit': '修改机构',
  'institution.suspend': '暂停机构',
  'institution.resume': '恢复机构',
  'institution.apply_save': '保存机构入驻草稿',
  'institution.apply_document': '添加入驻证照',
  'institution.apply_document_remove': '移除入驻证照',
  'institution.apply_submit': '提交机构入驻申请',
  'institution.review_approve': '通过机构入驻',
  'institution.review_return': '退回机构入驻',
  'institution.review_refuse': '不予通过机构入驻',
  'product.': '产品的全部操作',
  'product.draft': '新建产品',
  'product.edit': '修改产品',
  'product.submit': '提交产品审核',
  'product.withdraw': '撤回产品',
  'product.pass': '产品审核通过',
  'product.return': '产品审核退回',
  'product.revise': '修改为新版本',
  'product.unlist': '机构下架产品',
  'product.take_down': '平台下架产品',
  'product.recommend': '调整推荐',
  'product.expire': '产品到期',
  'application.': '申请的全部操作',
  'application.draft': '填写申请草稿',
  'application.discard': '删除申请草稿',
  'application.submit': '提交申请',
  'application.withdraw': '撤回申请',
  'application.supplement': '补充材料',
  'application.accept': '受理申请',
  'application.decline': '不予通过',
  'application.ask-supplement': '要求补正',
  'application.progress': '登记进展',
  'application.approve': '登记审批结果',
  'application.disburse': '登记放款',
  'application.complete': '办结申请',
  'application.hand-over': '转交经办',
  'application.telephone': '查看联系电话',
  'policy.': '政策的全部操作',
  'policy.add': '收录政策',
  'policy.publish': '发布政策',
  'policy.revise': '修订政策',
  'policy.expire': '政策失效',
  'knowledge.': '知识库的全部操作',
  'knowledge.create': '新建知识条目',
  'knowledge.edit': '修改知识条目',
  'knowledge.submit': '提交知识条目审核',
  'knowledge.publish': '发布知识条目',
  'knowledge.return': '退回知识条目',
  'knowledge.revise': '修订知识条目',
  'knowledge.discard': '放弃修订知识条目',
  'knowledge.confirm': '复核确认知识条目',
  'knowledge.withdraw': '撤下知识条目',
  'knowledge.report': '反馈知识条目有误',
  'knowledge.settle': '处理知识条目反馈',
  'canned.': '共享常用语的全部操作',
  'canned.create': '新建共享常用语',
  'canned.edit': '修改共享常用语',
  'canned.remove': '删除共享常用语',
  'directory.': '派单目录的全部操作',
  'directory.set': '调整派单目录',
  'directory.end': '终止目录项',
  'directory.take_back': '撤回目录调整',
  'content.': '内容的全部操作',
  'content.create': '新建内容',
  'content.edit': '修改内容',
  'content.submit': '提交内容审核',
  'content.publish': '发布内容',
  'content.return': '退回内容',
  'content.withdraw': '撤下内容',
  'message.': '消息的全部操作',
  'message.release': '确认未送达并重发',
  'message.prefer': '修改消息设置',
  'exchange.': '数据回流的全部操作',
  'exchange.create': '新增对接方',
  'exchange.edit': '修改对接方',
  'exchange.pause': '暂停推送',
  'exchange.resume': '恢复推送',
  'exchange.issue_key': '签发接口密钥',
  'exchange.revoke_key': '吊销接口密钥',
  'exchange.replay': '重推',
  'exchange.skip': '跳过推送',
  'file.upload': '上传文件',
  'operations.': '运行维护的全部操作',
  'operations.run_task': '立即执行定时任务',
  'operations.retry_run': '重试定时任务',
  'operations.pause_task': '暂停定时任务',
  'operations.resume_task': '恢复定时任务',
  'operations.retry_job': '重试后台工作',
  'operations.drop_job': '放弃后台工作',
  'operations.limits': '调整告警阈值',
  'operations.acknowledge': '登记已知悉',
  'backup.ask': '申请备份',
}

export const actionOptions = Object.entries(actions).map(([value, label]) => ({ value, label }))

/** "2026年11月22日 14:05:09": in the log the second counts. */
export function exact(at: string): string {
  const seconds = new Date(at).getUTCSeconds()
  return Number.isNaN(seconds) ? '' : `${dateTime(at)}:${String(seconds).padStart(2, '0')}`
}

export const actionText = (action: string): string => actions[action] ?? action
