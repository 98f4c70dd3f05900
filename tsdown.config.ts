import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['index', 'admin', 'config', 'http', 'nestjs', 'next', 'testing', 'utils', 'edge'].map(
    (name) => `lib/${name}.ts`,
  ),
  format: ['esm', 'cjs'],
  outDir: 'dist',
  platform: 'node',
  target: 'node20',
  // From the sources alone, file by file; every export states its type.
  dts: { oxc: true },
  // The same names in every build. Chunks lie beside the entries; the bundler turns the path to binding.js accordingly.
  hash: false,
  // A chunk named like an entry would take its place among the typings.
  outputOptions: (options) => ({ ...options, chunkFileNames: `shared-${options.chunkFileNames}` }),
  deps: { neverBundle: [/binding\.js$/, '@opentelemetry/api'] },
})
