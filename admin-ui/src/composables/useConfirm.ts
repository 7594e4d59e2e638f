import { ElMessageBox } from 'element-plus'
import { h, type VNode } from 'vue'

export interface ConfirmOptions {
  title: string
  message: string
  /** What stands above the message. */
  above?: VNode
  /** Says what happens: "删除附件", never "确定". */
  confirmText: string
  cancelText?: string
  /** Something is lost: the button is red and the safe choice has the focus. */
  danger?: boolean
}

/** Asks before something is done or lost; true when the person agreed. */
export function confirm(options: ConfirmOptions): Promise<boolean> {
  const message = options.above ? h('div', [options.above, h('p', options.message)]) : options.message
  return ElMessageBox.confirm(message, options.title, {
    confirmButtonText: options.confirmText,
    cancelButtonText: options.cancelText ?? '取消',
    type: options.danger ? 'warning' : 'info',
    confirmButtonClass: options.danger ? 'el-button--danger' : '',
    autofocus: !options.danger,
    closeOnClickModal: false,
  }).then(
    () => true,
    () => false,
  )
}

/** The same as a composable, for symmetry with the others. */
export function useConfirm() {
  return { confirm }
}
