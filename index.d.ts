/** The public typings: those of the bundle. `lib/index.ts` is their source. */
export * from './dist/index.mjs'
