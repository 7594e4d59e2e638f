import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach } from 'vitest'

// A page that outlives its test would go on moving while the environment is taken away.
enableAutoUnmount(afterEach)
