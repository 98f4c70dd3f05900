/** What `dist/edge/` is made of, see `base/edge-stand-in.ts`. Not an entry of the package. */
export { refusing } from './base/edge-stand-in.js'
