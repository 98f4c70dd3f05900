/** What the module takes. */
import type { FactoryProvider, ModuleMetadata } from '@nestjs/common'
import { mustBeKnown } from '../base/options.js'
import type { WorkerOptions } from '../consume/worker-model.js'
import type { SchedulerOptions } from '../schedules/scheduler.js'
import type { AnySymphony } from '../symphony.js'

/** How the queue takes part in a Nest application. Everything is optional. */
export interface SymphonyModuleOptions {
  /** The instance, as `createSymphony()` makes it; by default the one that the functions of the package work on. */
  symphony?: AnySymphony
  /**
   * A worker in this process: `true`, or its options. None by default: messages then wait for another process, or for a
   * route that calls `consumeBatch()`.
   */
  worker?: boolean | WorkerOptions
  /** A scheduler in this process: `true`, or its options. None by default. */
  scheduler?: boolean | SchedulerOptions
}

/** The same, from a factory. */
export interface SymphonyModuleAsyncOptions
  extends Pick<ModuleMetadata, 'imports'>,
    Pick<FactoryProvider<SymphonyModuleOptions>, 'inject' | 'useFactory'> {}

const OPTIONS = ['symphony', 'worker', 'scheduler']

/** @throws ConfigurationError `SYMPHONY_UNKNOWN_OPTION`, naming an option that does not exist. */
export function checkModuleOptions(options: SymphonyModuleOptions): SymphonyModuleOptions {
  mustBeKnown(options, OPTIONS)
  return options
}
