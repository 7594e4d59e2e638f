// Takes the README's pictures from a demo that `npm test` has just filled: node shots.mjs after starting the server again
// on test-results/data. Writes docs/img.
import { chromium } from '@playwright/test'

const base = process.env.BASE ?? 'http://localhost:18080'
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })
const shot = async (path, file, width, height) => {
  const page = await browser.newPage({ viewport: { width, height } })
  await page.goto(base + path)
  await page.waitForLoadState('networkidle')
  await page.screenshot({ path: file })
  await page.close()
}
for (const [path, name] of JSON.parse(process.argv[2])) {
  for (const width of [1440, 390]) await shot(path, `${process.argv[3]}/${name}-${width}.png`, width, width === 390 ? 844 : 900)
}
await browser.close()
