import { afterAll } from 'vitest'

// Vant measures a mounted bar again up to 300 ms later; the window must still be there.
afterAll(() => new Promise((resolve) => setTimeout(resolve, 350)))
