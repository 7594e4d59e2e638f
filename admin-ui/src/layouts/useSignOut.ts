import { ElMessage } from 'element-plus'
import { useRouter } from 'vue-router'
import { toApiError } from '@/api/client'
import { useSession } from '@/stores/session'

/** Ends the session and shows the login page; says so when the server could not be reached. */
export function useSignOut(): () => Promise<void> {
  const router = useRouter()
  const session = useSession()
  return async () => {
    try {
      await session.signOut()
    } catch (e) {
      const fault = toApiError(e)
      if (fault.status !== 401) {
        ElMessage.error(`尚未退出：${fault.message}`)
        return
      }
      session.clear()
    }
    await router.push({ name: 'login' })
  }
}
