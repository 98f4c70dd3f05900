/** Next.js: the routes of `/http`, and what its build has to know: `@leadmap/symphony/next`. */
export * from './http.js'
export { withSymphony } from './next/with-symphony.js'
