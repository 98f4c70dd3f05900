/** The transport `sync`: handlers run inside `dispatch()`, and their errors reach its caller. */
import type { Log } from '../base/logger.js'
import type { Configuration } from '../config/configuration.js'
import type { NativeCore } from '../core/native.js'
import type { InlineErrors } from '../dispatch/inline-errors.js'
import { handlerSpans } from '../tracing/spans.js'
import { DeliveryContext } from './context.js'
import type { Delivery, DeliveryBatch, SettlementLine } from './delivery.js'
import { type Execution, execute, unhandled } from './executor.js'
import type { HandlerRegistry } from './registry.js'

/** Told when handlers run inside a dispatch. */
export interface InlineObserver {
  inlineStarted(): void
  inlineEnded(): void
}

/** What runs handlers inside a dispatch. */
export interface InlineParts {
  readonly configuration: Configuration
  readonly registry: HandlerRegistry
  readonly inlineErrors: InlineErrors
  readonly log: Log
}

/** Lets the core run messages in this process. */
export function connectInline(core: NativeCore, observer: InlineObserver, parts: InlineParts): void {
  core.onInline((text) => {
    observer.inlineStarted()
    void runBatch(JSON.parse(text) as DeliveryBatch, core, parts)
      .catch((error: unknown) => parts.log.current.error('messages could not be handled inside dispatch()', { error }))
      .finally(() => observer.inlineEnded())
  })
}

async function runBatch({ batch, messages }: DeliveryBatch, core: NativeCore, parts: InlineParts): Promise<void> {
  const lines = await Promise.all(messages.map((delivery, index) => runMessage(batch, index, delivery, parts)))
  core.settleInline(batch, JSON.stringify(lines))
}

async function runMessage(
  batch: number,
  index: number,
  delivery: Delivery,
  parts: InlineParts,
): Promise<SettlementLine> {
  const started = performance.now()
  const { settlement, error } = await runHandlers(delivery, parts)
  if (settlement?.as === 'failed') parts.inlineErrors.keep(delivery.id, error)
  const duration = performance.now() - started
  return settlement === undefined ? [batch, index, duration] : [batch, index, duration, settlement]
}

function runHandlers(
  delivery: Delivery,
  { configuration, registry, log }: InlineParts,
): Execution | Promise<Execution> {
  if (!registry.has(delivery.type)) return unhandled(delivery.type)
  const context = new DeliveryContext(delivery, null, log)
  return handlerSpans()(context, () => execute(registry, context, configuration.peek().worker.handlerTimeout))
}
