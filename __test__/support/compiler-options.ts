/** How the TypeScript of a Next.js application is checked here; the typings are those of the bundle. */
export const COMPILER_OPTIONS = {
  target: 'es2022',
  module: 'esnext',
  moduleResolution: 'bundler',
  lib: ['es2023', 'esnext.disposable', 'dom'],
  types: ['node'],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
}
