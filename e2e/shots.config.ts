import { defineConfig } from '@playwright/test'

import base from './playwright.config'

const server = [base.webServer!].flat()[0]!

// `make shots`: every page of every role as a picture, on a demo of its own. What the demo prints at its start says who
// there is to sign in.
export default defineConfig({
  ...base,
  testDir: 'shots',
  timeout: 10_800_000,
  expect: { timeout: 90_000 },
  use: { ...base.use, actionTimeout: 60_000, navigationTimeout: 120_000 },
  webServer: { ...server, command: `mkdir -p test-results && ${server.command} > test-results/demo.txt`, timeout: 600_000 },
})
