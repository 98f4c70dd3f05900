/** The cron route that runs what is due. */
import { mustBeKnown } from '../../base/options.js'
import type { Symphony } from '../../symphony.js'
import { type CronRoute, type CronRouteOptions, cronRoute } from './cron.js'
import { timeLimitFor } from './time-limit.js'

/** Options of {@link createSchedulerRoute}. */
export interface SchedulerRouteOptions extends CronRouteOptions {
  /** The most schedules that one call runs; all that are due by default. */
  limit?: number
}

/**
 * A route that dispatches a message for every due run of a schedule, and deletes what is past its retention. Calls may
 * overlap: every run is dispatched once.
 *
 * Closed until `CRON_SECRET` is set or `authorize` is given.
 *
 * @throws ConfigurationError naming the invalid option.
 *
 * @example
 * // app/api/cron/symphony-scheduler/route.ts
 * export const maxDuration = 60
 * export const { GET, POST } = createSchedulerRoute({ maxDuration })
 */
export function createSchedulerRoute(options: SchedulerRouteOptions = {}): CronRoute {
  mustBeKnown(options, ['symphony', 'authorize', 'maxDuration', 'limit'])
  const { maxDuration, limit } = options
  const timeLimit = timeLimitFor(maxDuration, undefined)
  const due = { timeLimit, ...(limit === undefined ? {} : { limit }) }
  const run = async ({ runDueSchedules, cleanup }: Symphony) => ({
    ...(await runDueSchedules(due)),
    cleanup: await cleanup(),
  })
  return cronRoute(options, { name: 'scheduler', timeLimit, run })
}
