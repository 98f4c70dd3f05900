import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const lib = (name: string) => fileURLToPath(new URL(`./lib/${name}.ts`, import.meta.url))

export default defineConfig({
  resolve: {
    // Tests import the package by its name, as users do, and run its sources, so that coverage counts them.
    alias: [
      { find: /^@leadmap\/symphony$/, replacement: lib('index') },
      { find: /^@leadmap\/symphony\/(config|utils|testing)$/, replacement: lib('$1') },
    ],
  },
  test: {
    include: ['__test__/**/*.test.ts'],
    globalSetup: './__test__/support/server.ts',
    // Each file in a process of its own: the addon and its registry are process-wide.
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: {
      provider: 'v8',
      include: ['lib/**/*.ts'],
      reporter: ['json-summary', 'lcovonly', 'text'],
      reportsDirectory: 'coverage',
    },
  },
})
