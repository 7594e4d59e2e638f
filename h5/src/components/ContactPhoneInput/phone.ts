/** A mainland mobile number, which can receive a text message. */
export function isMobile(value: string): boolean {
  return /^1[3-9]\d{9}$/.test(value)
}

/** A mobile number, or a landline as "0557-3022345" with an optional extension "-801". */
export function isPhone(value: string): boolean {
  return isMobile(value) || /^(0\d{2,3}-?)?[2-9]\d{6,7}(-\d{1,5})?$/.test(value)
}

/** What is left of a pasted number: "+86 138-0013 8000" becomes "13800138000", full-width digits too. */
export function cleanMobile(typed: string): string {
  return typed
    .normalize('NFKC')
    .replace(/^\s*(\+|00)86/, '')
    .replace(/\D/g, '')
    .slice(0, 11)
}

/** As cleanMobile for a number that may be a landline: digits and hyphens, 18 of them at most. */
export function cleanPhone(typed: string): string {
  return typed
    .normalize('NFKC')
    .replace(/[^\d-]/g, '')
    .slice(0, 18)
}
