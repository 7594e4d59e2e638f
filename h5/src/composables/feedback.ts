import { showConfirmDialog, showToast } from 'vant'
import { nextTick } from 'vue'
import 'vant/es/dialog/style/index'
import 'vant/es/toast/style/index'

export interface Question {
  title: string
  message: string
  /** What the confirming button does: "退出登录", never "确定". */
  action: string
  stay?: string
}

/** Asks before something that cannot be taken back. */
export async function confirm({ title, message, action, stay = '取消' }: Question): Promise<boolean> {
  try {
    await showConfirmDialog({ title, message, confirmButtonText: action, cancelButtonText: stay })
    return true
  } catch {
    return false
  }
}

/** Says briefly that something was done or was not. */
export function say(message: string): void {
  showToast({ message, wordBreak: 'break-all' })
  // Vant calls it a dialog, which would need a name; it only tells.
  void nextTick(() => document.querySelector('.van-toast')?.setAttribute('role', 'status'))
}
