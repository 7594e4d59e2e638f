// Fails the build when what a phone must fetch before the first screen grows over the limit (gzip, script and style).
import { readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const limit = 150 * 1024
const firstScreen = ['index.html', 'src/features/home/HomePage.vue']

const dist = join(dirname(fileURLToPath(import.meta.url)), '../dist')
const manifest = JSON.parse(readFileSync(join(dist, '.vite/manifest.json'), 'utf8'))
rmSync(join(dist, '.vite'), { recursive: true }) // needed here only; not to be served

const files = new Set()
const seen = new Set()
function collect(key) {
  if (seen.has(key)) return
  seen.add(key)
  const chunk = manifest[key]
  if (!chunk) throw new Error(`the build has no chunk ${key}`)
  files.add(chunk.file)
  for (const css of chunk.css ?? []) files.add(css)
  for (const next of chunk.imports ?? []) collect(next)
}
firstScreen.forEach(collect)

let total = 0
for (const file of [...files].filter((f) => /\.(js|css)$/.test(f))) {
  const size = gzipSync(readFileSync(join(dist, file)), { level: 9 }).length
  total += size
  console.log(`${(size / 1024).toFixed(1).padStart(8)} KB  ${file}`)
}
console.log(
  `${(total / 1024).toFixed(1).padStart(8)} KB  first screen, compressed (limit ${limit / 1024} KB)`,
)
if (total > limit) {
  console.error('The first screen is too heavy: load what it does not show with a dynamic import.')
  process.exit(1)
}
