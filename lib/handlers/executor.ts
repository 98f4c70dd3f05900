/** Runs the handlers of one message and says how that ended. */
import { HandlerError } from '../base/errors.js'
import { attempt, type Rules } from './attempt.js'
import type { DeliveryContext } from './context.js'
import { readHandled } from './earlier-runs.js'
import type { HandlerEntry } from './entry.js'
import { type Middleware, runThrough } from './middleware.js'
import { isOutcome } from './outcomes.js'
import type { HandlerRegistry } from './registry.js'
import { isStrict } from './returned.js'
import { type Execution, failed, noteOutcome, succeeded, type Tally } from './tally.js'

export type { Execution } from './tally.js'

/**
 * Runs all handlers that have not succeeded in an earlier run, one after the other, even if one of them fails.
 * Neither throws nor rejects, whatever they throw.
 *
 * @param timeout limit for each handler without its own, in milliseconds; 0: none.
 * @param strict whether what a handler returns by mistake fails the run: see {@link isStrict}.
 * @returns no promise if the message has one handler that promises nothing.
 */
export function execute(
  registry: HandlerRegistry,
  context: DeliveryContext,
  timeout: number,
  strict: boolean = isStrict(),
): Execution | Promise<Execution> {
  const { middleware } = registry
  const rules = { timeout, strict }
  const { type, handled } = context.delivery
  const handlers = registry.get(type)
  const [only] = handlers
  const isAlone = only !== undefined && handlers.length === 1 && middleware.length === 0
  if (isAlone && handled.length === 0 && !context.aborted) return executeOne(only, context, rules)
  return executeAll(handlers, middleware, context, rules)
}

/** What most messages have: one handler, and nothing around it. */
function executeOne(handler: HandlerEntry, context: DeliveryContext, rules: Rules): Execution | Promise<Execution> {
  const tally: Tally = { handled: [], failures: [], outcome: undefined }
  return attempt(handler, context, rules, tally, () => endOfOne(context, tally))
}

function endOfOne(context: DeliveryContext, tally: Tally): Execution {
  context.end()
  const [failure] = tally.failures
  return failure === undefined ? succeeded(tally) : failed(failure.error, tally)
}

async function executeAll(
  handlers: readonly HandlerEntry[],
  middleware: readonly Middleware[],
  context: DeliveryContext,
  rules: Rules,
): Promise<Execution> {
  const handled = readHandled(context.delivery.handled, handlers)
  const tally: Tally = { handled, failures: [], outcome: undefined }
  const run = (): Promise<unknown> => attemptAll(handlers, context, rules, tally)
  try {
    if (middleware.length === 0) await run()
    else noteOutcome(tally, await runThrough(middleware, context, run))
  } catch (error) {
    if (!isOutcome(error)) return failed(error, tally)
    noteOutcome(tally, error)
  } finally {
    context.end()
  }
  noteOutcome(tally, context.takeOutcome())
  return succeeded(tally)
}

async function attemptAll(
  handlers: readonly HandlerEntry[],
  context: DeliveryContext,
  rules: Rules,
  tally: Tally,
): Promise<unknown> {
  for (const handler of handlers) {
    if (tally.handled.includes(handler.identity)) continue
    if (context.aborted) throw tally.failures[0]?.error ?? context.signal.reason
    await attempt(handler, context, rules, tally, () => undefined)
  }
  const [first] = tally.failures
  if (first !== undefined) throw first.error
  return tally.outcome
}

/** The end of a message without a handler, where it cannot wait for one. */
export function unhandled(type: string): Execution {
  const error = new HandlerError(
    `no handler is registered for ${type}: call registerHandler('${type}', …) first`,
    false,
  )
  return failed(error, { handled: [], failures: [], outcome: undefined })
}
