import { defineConfig } from 'vitest/config'

/** The addon under test, as in `vitest.config.mts`. */
const addon = process.env.SYMPHONY_TEST_ADDON

/** The end-to-end tests: `npm run test:e2e` builds what they run. */
export default defineConfig({
  test: {
    include: ['__test__/e2e/**/*.test.ts'],
    // These install frameworks, package managers and other versions of Node.js: `npm run test:e2e`.
    exclude: process.env.E2E_LONG === '1' ? [] : ['__test__/e2e/long/**'],
    globalSetup: './__test__/support/server.ts',
    pool: 'forks',
    env: addon ? { NAPI_RS_NATIVE_LIBRARY_PATH: addon } : {},
    // Each file has servers of its own, and they are what takes the time.
    maxWorkers: 2,
    testTimeout: 90_000,
    hookTimeout: 90_000,
    expect: { poll: { timeout: 30_000, interval: 50 } },
  },
})
