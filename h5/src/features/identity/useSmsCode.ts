import { reactive, ref } from 'vue'

import { asApiError, type ApiError } from '@/api/error'
import { sendSmsCode, type SmsCodeRequest } from '@/api/identity'
import { useWait } from '@/composables/useWait'

import { checkCaptcha, checkPhone, wrong } from './checks'
import { useCaptcha } from './useCaptcha'

interface Verifying {
  values: { phone: string; captchaAnswer: string; code: string }
  setErrors(found: Record<string, string | undefined>): void
  refuse(thrown: unknown): void
  problem: ApiError | null
}

/** Sending the code by SMS for a form that asks for a phone number: captcha first, then a wait before the next one. */
export function useSmsCode(form: Verifying, purpose: SmsCodeRequest['purpose']) {
  const captcha = useCaptcha()
  const { seconds, wait } = useWait()
  const sending = ref(false)
  const sentTo = ref('')

  async function renewCaptcha(): Promise<void> {
    form.values.captchaAnswer = ''
    await captcha.refresh()
  }

  async function send(): Promise<void> {
    if (sending.value || seconds.value > 0) return
    const { phone, captchaAnswer } = form.values
    const found = wrong({ phone: checkPhone(phone), captchaAnswer: checkCaptcha(captchaAnswer) })
    form.setErrors(found)
    form.problem = null
    if (Object.keys(found).length > 0) return
    if (!captcha.current) return void renewCaptcha()
    sending.value = true
    try {
      const sent = await sendSmsCode({ phone, purpose, captchaId: captcha.current.id, captchaAnswer })
      sentTo.value = sent.sentTo
      wait(sent.retryAfter)
      void renewCaptcha() // the answered one is used up
    } catch (thrown) {
      await renewCaptcha() // first, because a changed answer clears its error
      form.refuse(thrown)
      const { retryAfter } = asApiError(thrown)
      if (retryAfter > 0) wait(retryAfter)
    } finally {
      sending.value = false
    }
  }

  void captcha.refresh()
  return reactive({ captcha, seconds, sending, sentTo, send, renewCaptcha })
}
