import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['index', 'config', 'utils', 'next', 'testing', 'edge'].map((name) => `lib/${name}.ts`),
  format: ['esm', 'cjs'],
  outDir: 'dist',
  platform: 'node',
  target: 'node20',
  // From the sources alone, file by file; every export states its type.
  dts: { oxc: true },
  // Shared chunks lie beside the entries, so that `../binding.js` in lib/native.ts stays true in dist/.
  hash: false,
  // A chunk named like an entry would take its place among the typings.
  outputOptions: (options) => ({ ...options, chunkFileNames: `shared-${options.chunkFileNames}` }),
  deps: { neverBundle: [/binding\.js$/, '@opentelemetry/api'] },
})
