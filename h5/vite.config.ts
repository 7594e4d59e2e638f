import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

import { VantResolver } from '@vant/auto-import-resolver'
import vue from '@vitejs/plugin-vue'
import components from 'unplugin-vue-components/vite'
import { defineConfig } from 'vitest/config'
import type { Plugin } from 'vite'

const root = dirname(fileURLToPath(import.meta.url))

/**
 * Vant's icon style carries its font as a data: URL with a fallback on a foreign host. Our policy allows neither, and a
 * font in a style sheet delays the first paint, so it becomes a file of ours that is fetched when an icon is shown.
 */
function vantIconFont(): Plugin {
  return {
    name: 'vant-icon-font',
    enforce: 'pre',
    transform(code, id) {
      const path = id.split('?')[0] ?? id
      if (!path.endsWith('/vant/es/icon/index.css')) return
      const found = /src:\s*url\(["']?data:font\/woff2;[^,]*base64,([^)"']+)["']?\)[^;}]*/.exec(code)
      if (!found?.[1]) this.error('the icon font is no longer where this plugin expects it')
      const dir = join(root, 'node_modules/.cache/vant-icon')
      const file = join(dir, 'vant-icon.woff2')
      mkdirSync(dir, { recursive: true })
      writeFileSync(file, Buffer.from(found[1], 'base64'))
      return code.replace(found[0], `src:url("${relative(dirname(path), file)}") format("woff2")`)
    },
  }
}

export default defineConfig({
  base: '/m/',
  plugins: [
    vantIconFont(),
    vue(),
    // Only Vant is resolved by name, with each component's own style; its types come from the package itself.
    components({ dirs: [], dts: false, resolvers: [VantResolver()] }),
  ],
  // What both front-ends share lies beside them and takes its packages from here.
  resolve: { alias: { '@': join(root, 'src'), '@front': join(root, '../front') }, dedupe: ['vue'] },
  build: {
    // WeChat's own browser on older phones.
    target: ['es2020', 'chrome87', 'safari14'],
    assetsInlineLimit: 0,
    manifest: true,
    modulePreload: { polyfill: false },
  },
  server: { fs: { allow: ['..'] }, proxy: { '/api': process.env.BACKEND ?? 'http://127.0.0.1:8080' } },
  test: {
    environment: 'happy-dom',
    testTimeout: 60_000, // a test that hangs; a busy machine is slow
    include: ['src/**/*.spec.ts'],
    setupFiles: ['scripts/vitest.ts'],
    server: { deps: { inline: ['vant'] } },
    restoreMocks: true,
    unstubGlobals: true,
  },
})
