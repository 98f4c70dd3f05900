/** One bounded drain: what a cron route calls. */
import { type Attributes, inConsumeSpan } from '../tracing/spans.js'
import { type ConsumeResult, Consumer, type ConsumerParts, warnOfLostLeases } from './consumer.js'
import type { CheckedOptions } from './options.js'

/** Handles the messages that wait, until none is due or a limit is reached. */
export async function drain(parts: ConsumerParts, options: CheckedOptions): Promise<ConsumeResult> {
  const result = await inConsumeSpan(() => new Consumer(parts, 'drain', options).run(), describeConsume)
  if (result.lost > 0) warnOfLostLeases(parts.log, result.lost)
  return result
}

/** What a span says about a drain. */
function describeConsume({ claimed, retried, deadLettered }: ConsumeResult): Attributes {
  return { 'messaging.batch.message_count': claimed, 'symphony.failures': retried + deadLettered }
}
