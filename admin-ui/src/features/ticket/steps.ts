import type { ActionBody, Hop, Ticket, TicketRequest } from './api'

export type StepName = Exclude<
  keyof ActionBody,
  'answer' | 'decline' | 'dispatch' | 'sign' | 'reply' | 'callback' | 'close' | 'void'
>

/** What the dialog of a step asks for. */
export interface StepAsk {
  title: string
  /** Whose hint is read in the dialog. */
  step?: StepName
  message?: string
  confirmText: string
  danger?: boolean
  /** A unit: which may be left out when it is optional. */
  unit?: 'required' | 'optional'
  coUnits?: boolean
  tasks?: boolean
  /** The reason, from the list of this kind, with its basis. */
  code?: 'return' | 'extension' | 'appeal'
  /** Working days, at most so many. */
  days?: number
  /** Granted or refused; the text is then needed to refuse. */
  grant?: boolean
  /** What the ticket is about and how urgent it is, as it stands. */
  matter?: { type: string; urgency: string }
  /** Another ticket. */
  ticket?: { label: string; key: 'intoId' | 'otherId' }
  text?: { label: string; key: 'reason' | 'note' | 'text'; needed: boolean; most?: number; suggestions?: string[] }
  files?: boolean
  /** What the person reads when it is done. */
  done: string
}

const note = (label: string, needed = true) => ({ label, key: 'note' as const, needed })
const reason = (label: string, suggestions?: string[]) => ({ label, key: 'reason' as const, needed: true, suggestions })
const told = { label: '情况说明', key: 'text' as const, needed: true }

/** The steps that ask for something; those left out are taken at once. */
export const asks: Partial<Record<StepName, StepAsk>> = {
  reopen: {
    title: '退回重办',
    message: '办理时限重新计算，已登记的回访和评价保留。不选单位时，由原承办单位重办。',
    confirmText: '退回重办',
    unit: 'optional',
    text: reason('重办原因'),
    done: '已退回重办',
  },
  review: {
    title: '审核通过',
    message: '审核通过后进入回访。',
    confirmText: '审核通过',
    text: note('审核意见', false),
    done: '已审核通过',
  },
  sendback: {
    title: '审核退回',
    message: '承办单位须重新反馈，办理时限不变。',
    confirmText: '退回',
    text: note('退回原因'),
    done: '已退回承办单位',
  },
  classify: {
    title: '更正类型和紧急程度',
    message:
      '时限按更正后的类型和紧急程度，从原起点重新计算；暂停的时间、已批准的延期和已填写的表单保留。企业会看到更正后的类型。',
    confirmText: '更正',
    text: reason('更正原因', ['企业选错类型', '来电核实后更正', '紧急程度变化']),
    done: '已更正',
  },
  suspend: {
    title: '挂起，等待企业补充',
    message: '企业会看到这段文字，并可在线补充。挂起期间办理时限停止计算；只有等待企业时才可挂起。',
    confirmText: '挂起',
    text: reason('需要企业补充的内容'),
    done: '已挂起',
  },
  resume: {
    title: '恢复办理',
    message: '办理时限接着计算。企业会看到恢复说明。',
    confirmText: '恢复办理',
    text: reason('恢复说明', ['企业已电话说明', '企业已当面提交材料']),
    done: '已恢复办理',
  },
  forward: {
    title: '转办下级单位',
    message: '转办后本单位仍负责汇总答复（首接负责）。下级和协办单位各自签收、反馈。',
    confirmText: '转办',
    unit: 'required',
    coUnits: true,
    text: note('转办说明', false),
    done: '已转办',
  },
  split: {
    title: '拆分任务',
    message: '每项任务单独签收、反馈，全部验收后才能反馈本单。',
    confirmText: '拆分',
    tasks: true,
    done: '已拆分任务',
  },
  'hop-reply': {
    title: '反馈本环节办理结果',
    confirmText: '反馈',
    text: { ...told, label: '办理结果', most: 2000 },
    files: true,
    done: '已反馈',
  },
  accept: { title: '验收通过', confirmText: '验收通过', text: note('验收意见', false), done: '已验收' },
  rework: { title: '退回重新反馈', confirmText: '退回', text: note('退回原因'), done: '已退回' },
  recall: {
    title: '收回',
    message: '收回后该单位及其下级不再办理。',
    confirmText: '收回',
    danger: true,
    text: note('收回原因'),
    done: '已收回',
  },
  return: {
    title: '申请退单',
    message: '由派单的一级审批。审批期间办理时限照常计算。',
    confirmText: '提交退单申请',
    code: 'return',
    text: told,
    done: '已提交退单申请',
  },
  extend: {
    title: '申请延期',
    message: '须在时限到期前申请。经办人申请的，先由本单位负责人审核，再由派单的一级审批。',
    confirmText: '提交延期申请',
    code: 'extension',
    days: 10,
    text: told,
    done: '已提交延期申请',
  },
  appeal: {
    title: '申诉',
    message: '对不满意的回访结果提出申诉，由督办人员裁定；同意后不计入统计。',
    confirmText: '提交申诉',
    code: 'appeal',
    text: told,
    done: '已提交申诉',
  },
  endorse: {
    title: '审核本单位的延期申请',
    confirmText: '提交审核意见',
    grant: true,
    text: note('审核意见（不同意时必填）', false),
    done: '已审核',
  },
  decide: {
    title: '审批申请',
    confirmText: '提交审批意见',
    grant: true,
    text: note('审批意见（不同意时必填）', false),
    done: '已审批',
  },
  merge: {
    title: '并入主单',
    message:
      '本单保留编号、查询码和联系人，随主单一并答复，分别回访。已派出的，承办单位暂停办理；已挂起的，不再等待企业补充。主单答复前可以撤销并单。',
    confirmText: '并单',
    ticket: { label: '主单', key: 'intoId' },
    text: note('并单说明（企业可见）', false),
    done: '已并单',
  },
  unmerge: {
    title: '撤销并单',
    message:
      '本单恢复单独办理：原已派出的退还原承办单位继续办理，时限扣除并单期间；原已挂起的继续等待企业补充；其余回到待处理。',
    confirmText: '撤销并单',
    text: reason('撤销并单的原因'),
    done: '已撤销并单',
  },
  link: {
    title: '关联工单',
    message: '两件工单互相显示，只有能看到两件工单的人员可见。',
    confirmText: '关联',
    ticket: { label: '工单', key: 'otherId' },
    text: { ...note('关联说明', false), most: 200 },
    done: '已关联',
  },
  undo: { title: '撤销上一步', confirmText: '撤销', danger: true, text: reason('撤销原因'), done: '已撤销' },
}

/** The dialog of a step, with the words that depend on what it is about. */
export function askFor(step: StepName, ticket: Ticket, request?: TicketRequest): StepAsk | undefined {
  const ask = asks[step] && { ...asks[step], step }
  if (step === 'undo' && ask && ticket.undo) {
    return { ...ask, message: `将撤销“${ticket.undo.label}”。${ticket.undo.told}` }
  }
  if (step === 'reopen' && ask && ticket.unitName === '') {
    return { ...ask, unit: 'required', message: '此前由受理席答复，没有承办单位。派给所选单位办理，办理时限重新计算。' }
  }
  if (step === 'classify' && ask) return { ...ask, matter: { type: ticket.type, urgency: ticket.urgency } }
  if (step === 'endorse' && ask && request) {
    return { ...ask, message: `${asked(request)}。同意后由派单的一级审批。` }
  }
  if (step === 'decide' && ask && request) {
    if (request.kind === 'extension') {
      return { ...ask, title: '审批延期申请', message: `${asked(request)}。`, days: request.days }
    }
    if (request.kind === 'return') {
      return { ...ask, title: '审批退单申请', message: `${asked(request)}。同意后工单重新派单，办理时限不重新计算。` }
    }
    return { ...ask, title: '裁定申诉', message: `${asked(request)}。同意后该工单不计入满意率等统计。` }
  }
  return ask
}

/** What somebody asked for, in one sentence. */
function asked(r: TicketRequest): string {
  const what = { extension: `申请延期 ${r.days} 个工作日`, return: '申请退单', appeal: '申诉' }[r.kind]
  return `${r.unitName}${what}：${r.codeName}，${r.text}`.replace(/[。；，]+$/, '')
}

/** Whom the lead unit waits for before it can answer, in one sentence for that unit; '' when it need not wait. */
export function waitsFor(ticket: Ticket): string {
  const lead = ticket.hops.findLast((hop) => hop.lead)
  if (ticket.status !== 'signed' || !lead?.actions.includes('forward')) return ''
  const open = ticket.hops.filter(
    (hop) =>
      hop !== lead &&
      hop.round === lead.round &&
      (hop.state === 'dispatched' || hop.state === 'signed' || (hop.role === 'task' && hop.state === 'replied')),
  )
  if (open.length === 0) return ''
  const names = [...new Set(open.map((hop) => hop.unitName))].join('、')
  return `${names}的办理结果尚未反馈或验收，完成后才能反馈本单。急需办结的，请联系对方，或请派出的一级收回。`
}

/** The buttons of the steps of a hop, a request or a ticket. */
export const stepTexts: Record<StepName, string> = {
  reopen: '退回重办',
  review: '审核通过',
  sendback: '审核退回',
  archive: '归档',
  classify: '更正分类',
  suspend: '挂起',
  resume: '恢复办理',
  forward: '转办',
  split: '拆分任务',
  'hop-sign': '签收',
  'hop-reply': '反馈',
  accept: '验收通过',
  rework: '退回',
  recall: '收回',
  return: '申请退单',
  extend: '申请延期',
  appeal: '申诉',
  endorse: '审核',
  decide: '审批',
  withdraw: '撤回',
  merge: '并单',
  unmerge: '撤销并单',
  link: '关联工单',
  unlink: '取消关联',
  undo: '撤销上一步',
}

/** Done at once, without a dialog. */
export const atOnce: Partial<Record<StepName, string>> = {
  archive: '已归档',
  'hop-sign': '已签收',
  withdraw: '已撤回',
  unlink: '已取消关联',
}

export interface HopRow extends Hop {
  depth: number
}

/** The hops as a tree, flattened: what works for a hop comes after it, one step further in. */
export function hopRows(hops: Hop[]): HopRow[] {
  const rows: HopRow[] = []
  const add = (hop: Hop, depth: number): void => {
    rows.push({ ...hop, depth })
    for (const child of hops) {
      const beside = hop.lead && !child.lead && child.parentId === 0 && child.round === hop.round && carries(hops, hop)
      if (child.parentId === hop.id || beside) add(child, depth + 1)
    }
  }
  for (const hop of hops) if (hop.lead) add(hop, 0)
  return rows
}

/** Of several lead hops of one round, the last carries what stands beside it. */
function carries(hops: Hop[], lead: Hop): boolean {
  return hops.findLast((hop) => hop.lead && hop.round === lead.round)?.id === lead.id
}
