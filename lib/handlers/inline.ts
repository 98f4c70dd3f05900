/** The transport `sync`: handlers run inside `dispatch()`, and their errors reach its caller. */

import { getLogger } from '../base/logger.js'
import { peekConfig } from '../config/effective.js'
import type { NativeCore } from '../core/native.js'
import { inHandlerSpan } from '../tracing/spans.js'
import { DeliveryContext } from './context.js'
import type { Delivery, DeliveryBatch, SettlementLine } from './delivery.js'
import { type Execution, execute, unhandled } from './executor.js'
import { keepInlineError } from './inline-errors.js'
import { getRegistry } from './registry.js'

/** Told when handlers run inside a dispatch. */
export interface InlineObserver {
  inlineStarted(): void
  inlineEnded(): void
}

/** Lets the core run messages in this process. */
export function connectInline(core: NativeCore, observer: InlineObserver): void {
  core.onInline((text) => {
    observer.inlineStarted()
    void runBatch(JSON.parse(text) as DeliveryBatch, core)
      .catch((error: unknown) => getLogger().error('messages could not be handled inside dispatch()', { error }))
      .finally(() => observer.inlineEnded())
  })
}

async function runBatch({ batch, messages }: DeliveryBatch, core: NativeCore): Promise<void> {
  const timeout = peekConfig().worker.handlerTimeout
  const lines = await Promise.all(messages.map((delivery, index) => runMessage(batch, index, delivery, timeout)))
  core.settleInline(batch, JSON.stringify(lines))
}

async function runMessage(batch: number, index: number, delivery: Delivery, timeout: number): Promise<SettlementLine> {
  const started = performance.now()
  const { settlement, error } = await runHandlers(delivery, timeout)
  if (settlement?.as === 'failed') keepInlineError(delivery.id, error)
  const duration = performance.now() - started
  return settlement === undefined ? [batch, index, duration] : [batch, index, duration, settlement]
}

async function runHandlers(delivery: Delivery, timeout: number): Promise<Execution> {
  const registry = getRegistry()
  if (!registry.has(delivery.type)) return unhandled(delivery.type)
  const context = new DeliveryContext(delivery, null)
  return inHandlerSpan(context, () => execute(registry, context, timeout))
}
