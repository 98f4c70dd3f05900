import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { SlowFirst } from './__test__/support/slow-first.js'

/** The addon under test, where it is not the one at the root: `npm test` has one that counts. */
const addon = process.env.SYMPHONY_TEST_ADDON

const lib = (name: string) => fileURLToPath(new URL(`./lib/${name}.ts`, import.meta.url))

export default defineConfig({
  resolve: {
    // Tests import the package by its name, as users do, and run its sources, so that coverage counts them.
    alias: [
      { find: /^@leadmap\/symphony$/, replacement: lib('index') },
      { find: /^@leadmap\/symphony\/(admin|config|http|nestjs|next|testing|utils)$/, replacement: lib('$1') },
    ],
  },
  test: {
    include: ['lib/**/*.test.ts', '__test__/**/*.test.ts'],
    // Against a built application: `npm run test:e2e`.
    exclude: ['__test__/e2e/**'],
    globalSetup: ['bundle', 'server', 'pgbouncer'].map((name) => `./__test__/support/${name}.ts`),
    sequence: { sequencer: SlowFirst },
    // Each file in a process of its own: the addon and its registry are process-wide.
    pool: 'forks',
    // Many tests wait most of the time, for a lease to run out or a process to start.
    maxWorkers: availableParallelism() + 1,
    // Not for this process: vitest's bundler is an addon of the same make and would load ours instead of its own.
    env: addon ? { NAPI_RS_NATIVE_LIBRARY_PATH: addon } : {},
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // `expect.poll` waits for a condition: only one that never comes is stopped by this.
    expect: { poll: { timeout: 20_000, interval: 20 } },
    coverage: {
      provider: 'v8',
      include: ['lib/**/*.ts'],
      // The command line runs as a process of its own, where nothing counts.
      exclude: ['lib/**/*.test.ts', 'lib/testing/fakes/**', 'lib/cli/**'],
      reporter: ['json-summary', 'lcovonly', 'text'],
      reportsDirectory: 'coverage',
      reportOnFailure: true,
    },
  },
})
