/** Routes for every server that has `Request` and `Response`: `@leadmap/symphony/http`. */
export type { AskedFor, Authorize, Verdict } from './http/authorization/guard.js'
export type { Grant, Permission, Role } from './http/authorization/permissions.js'
export { bearerToken } from './http/authorization/secret.js'
export {
  type FastifyReplyLike,
  type FastifyRequestLike,
  type KoaContextLike,
  type NodeHandler,
  toNodeHandler,
} from './http/node/to-node-handler.js'
export type { CronRoute, CronRouteOptions } from './http/routes/cron.js'
export type { CatchAllHandler, RouteContext, RouteHandler } from './http/routes/handler.js'
export { createSchedulerRoute, type SchedulerRouteOptions } from './http/routes/scheduler-route.js'
export { createSymphonyRoute, type SymphonyRoute, type SymphonyRouteOptions } from './http/routes/symphony-route.js'
export { createWorkerRoute, type WorkerRouteOptions } from './http/routes/worker-route.js'
