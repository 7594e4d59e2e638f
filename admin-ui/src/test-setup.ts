import { enableAutoUnmount } from '@vue/test-utils'
import { afterAll, afterEach } from 'vitest'

// A page that outlives its test would go on moving while the environment is taken away.
enableAutoUnmount(afterEach)

// What was opened beside a page, as a message, is still leaving then: it gets the frames it has asked for.
afterAll(() => new Promise((done) => setTimeout(done, 50)))
