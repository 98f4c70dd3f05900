import { defineConfig } from 'vitest/config'

/** The end-to-end tests: `npm run test:e2e` builds what they run. */
export default defineConfig({
  test: {
    include: ['__test__/e2e/**/*.test.ts'],
    globalSetup: './__test__/support/server.ts',
    pool: 'forks',
    // Each file has servers of its own, and they are what takes the time.
    maxWorkers: 2,
    testTimeout: 90_000,
    hookTimeout: 90_000,
    expect: { poll: { timeout: 30_000, interval: 50 } },
  },
})
