import { computed, onMounted, reactive, ref, shallowRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { toApiError, type ApiError } from '@/api/client'
import { createCaptcha, signInWithCode, signInWithPassword, type Captcha, type Session } from '@/api/identity'
import { useCountdown } from '@/composables/useNow'
import { safeReturn } from '@/router'
import { useSession } from '@/stores/session'

const resendAfter = 60

/** Signing in: account, password and captcha, then the code from the phone where the server asks for one. */
export function useLogin() {
  const route = useRoute()
  const router = useRouter()
  const session = useSession()

  const step = ref<'password' | 'code'>('password')
  const form = reactive({ account: '', password: '', captcha: '', code: '' })
  const errors = ref<Record<string, string>>({})
  const error = shallowRef<ApiError | null>(null)
  const busy = ref(false)
  const sentTo = ref('')
  const captcha = shallowRef<Captcha | null>(null)
  const captchaFailed = ref(false)
  const locked = useCountdown()
  const resend = useCountdown()
  const expired = computed(() => route.query['expired'] === '1' && error.value === null)

  async function renewCaptcha(): Promise<void> {
    captchaFailed.value = false
    form.captcha = ''
    try {
      captcha.value = await createCaptcha()
    } catch (e) {
      captcha.value = null
      captchaFailed.value = true
      error.value = toApiError(e)
    }
  }

  function show(e: unknown): void {
    const fault = toApiError(e)
    // The server's field is captchaAnswer; the person sees one box.
    errors.value = Object.fromEntries(
      fault.fields.map((f) => [f.field.startsWith('captcha') ? 'captcha' : f.field, f.message]),
    )
    error.value = fault
    if (fault.retryAfter > 0) locked.start(fault.retryAfter)
  }

  async function enter(entered: Session): Promise<void> {
    session.set(entered)
    await router.replace(safeReturn(route.query['return']))
  }

  function missing(fields: Record<string, string>): boolean {
    errors.value = fields
    for (const [name, message] of Object.entries(fields)) if (!message) delete errors.value[name]
    return Object.keys(errors.value).length > 0
  }

  async function submitPassword(): Promise<void> {
    if (busy.value || locked.left.value > 0) return
    error.value = null
    const absent = {
      account: form.account.trim() ? '' : '请输入账号',
      password: form.password ? '' : '请输入密码',
      captcha: form.captcha.trim() ? '' : '请输入图片中的数字',
    }
    if (missing(absent)) return
    busy.value = true
    try {
      const result = await signInWithPassword({
        account: form.account.trim(),
        password: form.password,
        captchaId: captcha.value?.id ?? '',
        captchaAnswer: form.captcha.trim(),
      })
      if (result.next === 'done') {
        // Without a session in the answer the cookie is set all the same: ask.
        if (result.session) await enter(result.session)
        else await session.load().then(() => router.replace(safeReturn(route.query['return'])))
        return
      }
      sentTo.value = result.sentTo ?? ''
      form.code = ''
      step.value = 'code'
      resend.start(resendAfter)
    } catch (e) {
      show(e)
      // A captcha counts once, right or wrong.
      const keep = error.value
      await renewCaptcha()
      error.value = keep
    } finally {
      busy.value = false
    }
  }

  async function submitCode(): Promise<void> {
    if (busy.value || locked.left.value > 0) return
    error.value = null
    if (missing({ code: /^\d{6}$/.test(form.code.trim()) ? '' : '请输入短信中的 6 位数字' })) return
    busy.value = true
    try {
      await enter(await signInWithCode(form.code.trim()))
    } catch (e) {
      show(e)
    } finally {
      busy.value = false
    }
  }

  /** A new code costs a new captcha, so it starts at the first step; account and password stay typed. */
  async function back(): Promise<void> {
    step.value = 'password'
    errors.value = {}
    error.value = null
    await renewCaptcha()
  }

  onMounted(async () => {
    if (session.current === null) await session.load().catch(() => undefined)
    await renewCaptcha()
  })

  return reactive({
    step,
    form,
    errors,
    error,
    busy,
    sentTo,
    captcha,
    captchaFailed,
    expired,
    locked: locked.left,
    resendIn: resend.left,
    renewCaptcha,
    submitPassword,
    submitCode,
    back,
  })
}
