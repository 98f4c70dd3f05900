/** One bounded drain: what a cron route calls. */
import { type Attributes, inConsumeSpan } from '../tracing/spans.js'
import { type ConsumeResult, Consumer, type ConsumerParts } from './consumer.js'
import type { CheckedOptions } from './options.js'

/** Handles the messages that wait, until none is due or a limit is reached. */
export function drain(parts: ConsumerParts, options: CheckedOptions): Promise<ConsumeResult> {
  return inConsumeSpan(() => new Consumer(parts, 'drain', options).run(), describeConsume)
}

/** What a span says about a drain. */
function describeConsume({ claimed, retried, deadLettered }: ConsumeResult): Attributes {
  return { 'messaging.batch.message_count': claimed, 'symphony.failures': retried + deadLettered }
}
