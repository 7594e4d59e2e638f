// How dates and amounts are written everywhere. The server speaks UTC and fen; people read Beijing time and yuan.

const parts = new Intl.DateTimeFormat('zh-CN', {
  timeZone: 'Asia/Shanghai',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})

function read(iso: string): Record<string, string> {
  return Object.fromEntries(parts.formatToParts(new Date(iso)).map((p) => [p.type, p.value]))
}

/** "2026年11月22日" */
export function day(iso: string): string {
  const p = read(iso)
  return `${p.year}年${p.month}月${p.day}日`
}

/** "2026年11月22日 14:05" */
export function dateTime(iso: string): string {
  const p = read(iso)
  return `${day(iso)} ${p.hour}:${p.minute}`
}

/** Relative within one day before `now` ("5 分钟前"), the full time otherwise. */
export function ago(iso: string, now: Date): string {
  const minutes = Math.floor((now.getTime() - new Date(iso).getTime()) / 60_000)
  if (minutes < 0 || minutes >= 24 * 60) return dateTime(iso)
  if (minutes < 1) return '刚刚'
  return minutes < 60 ? `${minutes} 分钟前` : `${Math.floor(minutes / 60)} 小时前`
}

/** Fen as "50 万元", "1.25 亿元" or "8,000 元". */
export function money(fen: number): string {
  const yuan = fen / 100
  const round = (n: number) => n.toLocaleString('zh-CN', { maximumFractionDigits: 2 })
  if (Math.abs(yuan) >= 1e8) return `${round(yuan / 1e8)} 亿元`
  if (Math.abs(yuan) >= 1e4) return `${round(yuan / 1e4)} 万元`
  return `${round(yuan)} 元`
}

/** "1.2 MB" */
export function fileSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`
}
