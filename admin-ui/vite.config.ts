import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import Components from 'unplugin-vue-components/vite'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import { defineConfig } from 'vitest/config'

const backend = process.env['BACKEND'] ?? 'http://127.0.0.1:8080'

export default defineConfig(({ mode }) => ({
  base: '/admin/',
  plugins: [
    vue(),
    // Only Element Plus is resolved by name; our own components are imported where they are used. Types come from
    // element-plus/global, so nothing is generated. Tests need no style sheets.
    Components({
      dirs: [],
      dts: false,
      resolvers: [ElementPlusResolver({ importStyle: mode === 'test' ? false : 'css' })],
    }),
  ],
  // What both front-ends share lies beside them and takes its packages from here.
  resolve: {
    alias: {
      '@': fileURLToPath(new URL('./src', import.meta.url)),
      '@front': fileURLToPath(new URL('../front', import.meta.url)),
    },
    dedupe: ['vue'],
  },
  build: {
    target: 'es2022',
    // The content security policy allows no data: scripts or fonts, so every asset stays a file.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
  server: {
    fs: { allow: ['..'] },
    proxy: { '/api': { target: backend, changeOrigin: false } },
  },
  test: {
    environment: 'happy-dom',
    setupFiles: ['src/test-setup.ts'],
    testTimeout: 60_000, // a test that hangs; a busy machine is slow
    environmentOptions: { happyDOM: { url: 'http://localhost:3000/admin/' } },
    include: ['src/**/*.spec.ts'],
    server: { deps: { inline: ['element-plus'] } },
  },
}))
