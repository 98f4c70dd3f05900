/** How the TypeScript of an application of Next.js or NestJS is checked here; the typings are those of the bundle. */
export const COMPILER_OPTIONS = {
  target: 'es2022',
  module: 'esnext',
  moduleResolution: 'bundler',
  lib: ['es2023', 'esnext.disposable', 'dom'],
  types: ['node'],
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  strict: true,
  noEmit: true,
  skipLibCheck: true,
}
