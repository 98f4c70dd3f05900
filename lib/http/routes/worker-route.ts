/** The cron route that handles messages. */
import { mustBeKnown } from '../../base/options.js'
import { CONSUME_OPTIONS, type ConsumeOptions, checkOptions } from '../../consume/options.js'
import { partsOf } from '../../symphony.js'
import { type CronRoute, type CronRouteOptions, cronRoute } from './cron.js'
import { drainWithFigures } from './drain.js'
import { timeLimitFor } from './time-limit.js'

/** Options of {@link createWorkerRoute}: those of a drain, and of a cron route. */
export interface WorkerRouteOptions extends Omit<ConsumeOptions, 'deadline'>, CronRouteOptions {}

const OPTIONS = ['maxDuration', 'authorize', 'symphony', ...CONSUME_OPTIONS.filter((name) => name !== 'deadline')]

/**
 * A route that handles waiting messages until none is due or its time is up. Without `maxDuration` and `timeLimit` it
 * takes up to 50 s.
 *
 * Closed until `CRON_SECRET` is set or `authorize` is given. Import the modules that call `registerHandler()` in the
 * route's file.
 *
 * @throws ConfigurationError naming the invalid option.
 *
 * @example
 * // app/api/cron/symphony-worker/route.ts
 * export const maxDuration = 60
 * export const { GET, POST } = createWorkerRoute({ maxDuration, maxConcurrency: 20 })
 */
export function createWorkerRoute(options: WorkerRouteOptions = {}): CronRoute {
  mustBeKnown(options, OPTIONS)
  const { authorize, symphony, maxDuration, ...consume } = options
  const checked = checkOptions(consume)
  const timeLimit = timeLimitFor(maxDuration, checked.timeLimit)
  return cronRoute(
    { authorize, symphony },
    { name: 'worker', timeLimit, run: (queue) => drainWithFigures(partsOf(queue), { ...checked, timeLimit }) },
  )
}
