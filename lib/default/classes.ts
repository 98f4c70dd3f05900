/** The classes of the package over the default instance. */
import { brand } from '../base/brand.js'
import { Worker as InstanceWorker } from '../consume/worker.js'
import type { WorkerOptions } from '../consume/worker-model.js'
import { CoreDispatcher } from '../dispatch/dispatcher.js'
import { Scheduler as InstanceScheduler, type SchedulerOptions } from '../schedules/scheduler.js'
import { partsOf } from '../symphony.js'
import { defaultSymphony } from './instance.js'

/**
 * Handles messages until it is stopped.
 *
 * @example
 * const worker = new Worker({ maxConcurrency: 20 })
 * worker.on('deadLettered', ({ type, error }) => alert(type, error))
 * await worker.run()
 */
export class Worker extends InstanceWorker {
  /** @throws ConfigurationError naming an option that does not fit. */
  constructor(options?: WorkerOptions) {
    super(partsOf(defaultSymphony()), options)
  }
}

/**
 * Runs schedules when they are due, until it is stopped. It sleeps until the next one, and is woken when a schedule
 * changes where the database URL keeps a session (LISTEN). Any number of them may run at once.
 *
 * @example
 * const scheduler = new Scheduler()
 * await scheduler.run()
 */
export class Scheduler extends InstanceScheduler {
  /** @throws SchedulerError naming an option that does not fit. */
  constructor(options?: SchedulerOptions) {
    super(partsOf(defaultSymphony()), options)
  }
}

/** The dispatcher over the native core. It has no state of its own. */
export class SymphonyDispatcher extends CoreDispatcher {
  static {
    brand(SymphonyDispatcher, 'SymphonyDispatcher')
  }

  constructor() {
    super(partsOf(defaultSymphony()))
  }
}
