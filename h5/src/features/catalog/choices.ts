/** One entry of a drop-down. */
export interface Choice {
  text: string
  value: string
}

export const kinds: Choice[] = [
  { text: '全部服务', value: '' },
  { text: '融资服务', value: 'financing' },
  { text: '法律服务', value: 'legal' },
  { text: '财税服务', value: 'tax' },
  { text: '人力招聘', value: 'hr' },
  { text: '知识产权', value: 'ip' },
  { text: '资质认证', value: 'certification' },
  { text: '科技创新', value: 'innovation' },
  { text: '数字化', value: 'digital' },
]

/** The sign of a kind where there is no picture. */
const icons: Record<string, string> = {
  financing: 'gold-coin-o',
  legal: 'balance-list-o',
  tax: 'bill-o',
  hr: 'friends-o',
  ip: 'bulb-o',
  certification: 'certificate',
  innovation: 'fire-o',
  digital: 'desktop-o',
}
export const kindIcon = (kind: string): string => icons[kind] ?? 'shop-o'

export const financings: Choice[] = [
  { text: '全部类型', value: '' },
  { text: '债权融资', value: 'debt' },
  { text: '抵押融资', value: 'mortgage' },
  { text: '股权融资', value: 'equity' },
  { text: '融资担保', value: 'guarantee' },
  { text: '保险', value: 'insurance' },
]

export const amounts: Choice[] = [
  { text: '不限金额', value: '' },
  { text: '10 万元以下', value: '-10' },
  { text: '10–50 万元', value: '10-50' },
  { text: '50–300 万元', value: '50-300' },
  { text: '300–1000 万元', value: '300-1000' },
  { text: '1000 万元以上', value: '1000-' },
]

/** The orders that make sense: best match while searching, rates while looking for money. */
export function sorts(searching: boolean, financing: boolean): Choice[] {
  return [
    ...(searching ? [{ text: '最相关', value: '' }] : []),
    { text: '最新上架', value: searching ? 'new' : '' },
    { text: '最热门', value: 'hot' },
    { text: '评价最好', value: 'rating' },
    ...(financing ? [{ text: '利率最低', value: 'rate' }] : []),
  ]
}

/** A value the address names, if it is one of the choices. */
export function known(choices: Choice[], value: unknown): string {
  return choices.some((choice) => choice.value === value) ? String(value) : ''
}
