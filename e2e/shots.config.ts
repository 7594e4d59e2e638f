import { defineConfig } from '@playwright/test'

import base from './playwright.config'

// `make shots`: every page of every role as a picture, on a demo of its own.
export default defineConfig({ ...base, testDir: 'shots', timeout: 1_500_000 })
