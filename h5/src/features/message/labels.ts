const groups: Record<string, string> = {
  application: '申请进度',
  ticket: '诉求进度',
  enterprise: '企业认证',
  product: '产品审核',
}

/** A kind this build does not know yet reads as a plain notice. */
export const groupLabel = (group: string): string => groups[group] ?? '通知'
