import { defineConfig } from 'tsdown'
import { bundled, entriesOutside, licenses } from './scripts/setup/cli-bundle.mjs'

const entries = ['index', 'admin', 'config', 'http', 'nestjs', 'next', 'testing', 'utils', 'edge']

export default defineConfig([
  {
    entry: entries.map((name) => `lib/${name}.ts`),
    format: ['esm', 'cjs'],
    outDir: 'dist',
    platform: 'node',
    target: 'node20',
    // From the sources alone, file by file; every export states its type.
    dts: { oxc: true },
    // TypeScript from 6 on looks at no typings by itself, and those of Node.js are a part of these.
    banner: { dts: '/// <reference types="node" />' },
    // The same names in every build. Chunks lie beside the entries; the bundler turns the path to binding.js accordingly.
    hash: false,
    // A chunk named like an entry would take its place among the typings.
    outputOptions: (options) => ({ ...options, chunkFileNames: `shared-${options.chunkFileNames}` }),
    deps: { neverBundle: [/binding\.js$/, '@opentelemetry/api'] },
  },
  // The command line brings the libraries it is made of, and uses the package as an application does: by its entries.
  {
    entry: { cli: 'lib/cli/main.ts' },
    format: 'esm',
    outDir: 'dist',
    clean: false,
    platform: 'node',
    target: 'node20',
    dts: false,
    hash: false,
    outputOptions: (options) => ({ ...options, chunkFileNames: `cli-${options.chunkFileNames}` }),
    plugins: [entriesOutside(entries), licenses('cli-licenses.txt')],
    deps: { onlyBundle: bundled },
  },
])
