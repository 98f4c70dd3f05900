/** What an application calls to have messages handled. */
import { mustBeAll } from '../base/options.js'
import type { ConsumeResult, ConsumerParts } from './consumer.js'
import { drain } from './drain.js'
import { type ConsumeOptions, checkOptions } from './options.js'
import { Worker } from './worker.js'
import type { WorkerOptions } from './worker-model.js'

/** The consumers of an instance. */
export interface ConsumeFunctions {
  /**
   * Handles waiting messages until none is due or a limit is reached.
   *
   * @returns what was done; failed messages are not errors here, they are retried or become dead letters.
   * @throws ConfigurationError naming the invalid option; TransportError if the database cannot be used.
   *
   * @example
   * const { succeeded, drained } = await consumeBatch({ timeLimit: '50s', maxConcurrency: 20 })
   */
  consumeBatch(options?: ConsumeOptions): Promise<ConsumeResult>

  /**
   * A long-lived worker of this instance.
   *
   * @throws ConfigurationError naming an option that does not fit.
   */
  createWorker(options?: WorkerOptions): Worker
}

/** The functions over the parts of a consumer. */
export function consumeFunctions(parts: ConsumerParts): ConsumeFunctions {
  return {
    async consumeBatch(options = {}, ...more: unknown[]) {
      mustBeAll(more, 'consumeBatch(options)')
      return drain(parts, checkOptions(options))
    },
    createWorker: (options) => new Worker(parts, options),
  }
}
