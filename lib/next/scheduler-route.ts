/** The cron route that runs what is due. */
import { cleanup } from '../queue.js'
import { type CronRoute, type CronRouteOptions, cronRoute } from './cron.js'
import { timeLimitFor } from './time-limit.js'

/** Options of {@link createSchedulerRoute}. */
export interface SchedulerRouteOptions extends CronRouteOptions {}

/**
 * A route that deletes what its retention no longer covers.
 *
 * Closed until `CRON_SECRET` is set, or `authorize` given.
 *
 * @throws ConfigurationError naming an option that does not fit.
 *
 * @example
 * // app/api/cron/symphony-scheduler/route.ts
 * export const runtime = 'nodejs'
 * export const maxDuration = 60
 * export const { GET, POST } = createSchedulerRoute({ maxDuration })
 */
export function createSchedulerRoute(options: SchedulerRouteOptions = {}): CronRoute {
  const { authorize, maxDuration } = options
  const timeLimit = timeLimitFor(maxDuration, undefined)
  return cronRoute(authorize, { name: 'scheduler', timeLimit, run: async () => ({ cleanup: await cleanup() }) })
}
