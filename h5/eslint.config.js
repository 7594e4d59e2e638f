import js from '@eslint/js'
import prettier from 'eslint-config-prettier'
import vue from 'eslint-plugin-vue'
import globals from 'globals'
import ts from 'typescript-eslint'

export default ts.config(
  { ignores: ['dist', 'node_modules', 'src/api/schema.d.ts'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...vue.configs['flat/recommended'],
  {
    files: ['**/*.{ts,vue}'],
    languageOptions: { globals: globals.browser, parserOptions: { parser: ts.parser } },
    // TypeScript itself reports unknown names, and knows types that this rule does not.
    rules: { 'no-undef': 'off' },
  },
  { files: ['scripts/**', '*.config.*'], languageOptions: { globals: globals.node } },
  {
    rules: {
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/define-props-declaration': 'error',
      'vue/no-v-html': 'error',
      'vue/multi-word-component-names': ['error', { ignores: ['Timeline'] }],
    },
  },
  {
    // Components are dumb: what they show arrives as props, so they never reach for the server.
    files: ['src/components/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: ['@/api/*', '@/stores/*', '@/features/*'] }],
    },
  },
  {
    // Only the client knows HTTP.
    files: ['src/**'],
    ignores: ['src/api/client.ts', 'src/**/*.spec.ts'],
    rules: { 'no-restricted-globals': ['error', 'fetch', 'XMLHttpRequest'] },
  },
  prettier,
)
