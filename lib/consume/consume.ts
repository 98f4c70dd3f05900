/** One bounded drain: what a cron route calls. */

import { type Attributes, inConsumeSpan } from '../tracing/spans.js'
import { type ConsumeResult, Consumption, warnOfLostLeases } from './consumer.js'
import { type CheckedOptions, type ConsumeOptions, checkOptions } from './options.js'

/**
 * Handles waiting messages until none is due or a limit is reached.
 *
 * @returns what was done; failed messages are not errors here, they are retried or become dead letters.
 * @throws ConfigurationError naming the invalid option; TransportError if the database cannot be used.
 *
 * @example
 * const { succeeded, drained } = await consumeBatch({ timeLimit: '50s', maxConcurrency: 20 })
 */
export async function consumeBatch(options: ConsumeOptions = {}): Promise<ConsumeResult> {
  const checked: CheckedOptions = checkOptions(options)
  const result = await inConsumeSpan(() => new Consumption('drain', checked).run(), describeConsume)
  if (result.lost > 0) warnOfLostLeases(result.lost)
  return result
}

/** What a span says about a drain. */
function describeConsume({ claimed, retried, deadLettered }: ConsumeResult): Attributes {
  return { 'messaging.batch.message_count': claimed, 'symphony.failures': retried + deadLettered }
}
