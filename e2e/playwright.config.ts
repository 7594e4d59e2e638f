import { defineConfig } from '@playwright/test'
import { existsSync } from 'node:fs'

// The browser without its windows, which costs half, where it is installed.
const shell = '/usr/bin/chromium-headless-shell'
const port = Number(process.env.E2E_PORT ?? 18080)

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: {
    baseURL: `http://localhost:${port}`,
    actionTimeout: 15_000,
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? (existsSync(shell) ? shell : '/usr/bin/chromium'),
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
    },
  },
  webServer: {
    command: `rm -rf test-results/data test-results/sessions && ../bin/huiqi serve --demo --data test-results/data --listen 127.0.0.1:${port} --public-url http://localhost:${port}`,
    url: `http://localhost:${port}/readyz`,
    // The journeys are told at any hour of the day, and all come from one address.
    env: { HUIQI_SMS__QUIET_HOURS: 'none', HUIQI_REQUESTS_PER_MINUTE: '100000' },
    timeout: 60_000,
    stdout: 'ignore',
    stderr: 'ignore',
    gracefulShutdown: { signal: 'SIGTERM', timeout: 15_000 },
  },
})
