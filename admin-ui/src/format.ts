// How dates, amounts and sizes read, everywhere. Times arrive in UTC and are shown in Beijing time.

const zone = 'Asia/Shanghai'
const parts = new Intl.DateTimeFormat('zh-CN', {
  timeZone: zone,
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})

function split(at: string | Date): Record<string, string> | null {
  const date = typeof at === 'string' ? new Date(at) : at
  if (Number.isNaN(date.getTime())) return null
  return Object.fromEntries(parts.formatToParts(date).map((p) => [p.type, p.value]))
}

/** "2026年11月22日 14:05"; a dash when there is no time. */
export function dateTime(at: string | Date | null | undefined): string {
  const p = at ? split(at) : null
  return p ? `${p['year']}年${p['month']}月${p['day']}日 ${p['hour']}:${p['minute']}` : '—'
}

/** "2026年11月22日". */
export function date(at: string | Date | null | undefined): string {
  const p = at ? split(at) : null
  return p ? `${p['year']}年${p['month']}月${p['day']}日` : '—'
}

/** "3 小时 20 分", "2 天 5 小时", "不足 1 分钟": a length of time in milliseconds, without its sign. */
export function duration(ms: number): string {
  const minutes = Math.floor(Math.abs(ms) / 60_000)
  if (minutes < 1) return '不足 1 分钟'
  const d = Math.floor(minutes / 1440)
  const h = Math.floor((minutes % 1440) / 60)
  const m = minutes % 60
  if (d > 0) return h > 0 ? `${d} 天 ${h} 小时` : `${d} 天`
  if (h > 0) return m > 0 ? `${h} 小时 ${m} 分` : `${h} 小时`
  return `${m} 分钟`
}

/** "20 分钟前" under a day, the full date otherwise. */
export function ago(at: string, now: number = Date.now()): string {
  const ms = now - new Date(at).getTime()
  if (ms < 0 || ms >= 86_400_000 || Number.isNaN(ms)) return dateTime(at)
  return ms < 60_000 ? '刚刚' : `${duration(ms < 3_600_000 ? ms : Math.floor(ms / 3_600_000) * 3_600_000)}前`
}

/** Fen as "50 万元" or "1,234.50 元". */
export function money(fen: number | null | undefined): string {
  if (fen == null) return '—'
  const yuan = fen / 100
  if (Math.abs(yuan) >= 10_000 && fen % 10_000 === 0) {
    return `${(yuan / 10_000).toLocaleString('zh-CN', { maximumFractionDigits: 2 })} 万元`
  }
  return `${yuan.toLocaleString('zh-CN', { minimumFractionDigits: fen % 100 === 0 ? 0 : 2, maximumFractionDigits: 2 })} 元`
}

/** "1.4 MB". */
export function fileSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`
}

/** The months that may be chosen, the newest first, as 2026-11. */
export function months(now: Date, n: number): string[] {
  const beijing = new Date(now.getTime() + 8 * 3600_000)
  const out: string[] = []
  for (let i = 0; i < n; i++) {
    const d = new Date(Date.UTC(beijing.getUTCFullYear(), beijing.getUTCMonth() - i, 1))
    out.push(`${d.getUTCFullYear()}-${String(d.getUTCMonth() + 1).padStart(2, '0')}`)
  }
  return out
}

export const monthText = (m: string): string => `${m.slice(0, 4)}年${Number(m.slice(5))}月`
