export type Mark = 'heading' | 'list' | 'steps' | 'link'

/** The text with the notation put around what is selected, and where the selection then stands. */
export function mark(text: string, from: number, to: number, kind: Mark): { text: string; from: number; to: number } {
  if (kind === 'link') {
    const words = text.slice(from, to) || '链接文字'
    const made = `[${words}](https://)`
    const at = from + made.length - 1
    return { text: text.slice(0, from) + made + text.slice(to), from: at, to: at }
  }
  const begin = text.lastIndexOf('\n', from - 1) + 1
  const end = text.indexOf('\n', to) < 0 ? text.length : text.indexOf('\n', to)
  const lines = text
    .slice(begin, end)
    .split('\n')
    .map((line) => line.replace(/^(# |- |\d{1,2}\. )/, ''))
    .map((line, i) => ({ heading: '# ', list: '- ', steps: `${i + 1}. ` })[kind] + line)
    .join('\n')
  return { text: text.slice(0, begin) + lines + text.slice(end), from: begin + lines.length, to: begin + lines.length }
}
