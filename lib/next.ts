/**
 * Routes for Next.js, and for every server that has `Request` and `Response`: `@leadmap/symphony/next`.
 *
 * Nothing here imports Next.js.
 */
import './symphony.js'

export type { CronRoute, CronRouteOptions } from './next/cron.js'
export type { AskedFor, Authorize } from './next/guard.js'
export type { CatchAllHandler, RouteContext, RouteHandler } from './next/handler.js'
export { createSchedulerRoute, type SchedulerRouteOptions } from './next/scheduler-route.js'
export { bearerToken } from './next/secret.js'
export { createSymphonyRoute, type SymphonyRoute, type SymphonyRouteOptions } from './next/symphony-route.js'
export { withSymphony } from './next/with-symphony.js'
export { createWorkerRoute, type WorkerRouteOptions } from './next/worker-route.js'
