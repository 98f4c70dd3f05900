/** Runs the handlers of one message and says how that ended. */
import { HandlerError, HandlerTimeoutError } from '../base/errors.js'
import { countStray } from '../base/process-life.js'
import { isPromise, parsePayload } from '../message/schema.js'
import { askHandler, type Classification, classifyError } from './classification.js'
import type { DeliveryContext } from './context.js'
import type { Settlement } from './delivery.js'
import { readHandled } from './earlier-runs.js'
import type { HandlerEntry } from './entry.js'
import { clean, reportError } from './error-report.js'
import { runThrough } from './middleware.js'
import { type HandlerOutcome, isDiscard, isOutcome, isSnooze, notingOutcomes } from './outcomes.js'
import type { HandlerRegistry } from './registry.js'
import { isStrict, judge } from './returned.js'

/** How a message ended: `settlement` is absent if all its handlers succeeded, `error` is what was thrown. */
export interface Execution {
  settlement?: Settlement
  error?: unknown
}

const COMPLETED: Execution = {}

/** How handlers are run. */
interface Rules {
  timeout: number
  strict: boolean
}

/** What has happened so far to the handlers of one message. */
interface Tally {
  /** Identities of those that have succeeded. */
  handled: string[]
  failures: Array<{ error: unknown; own: Classification | undefined }>
  outcome: HandlerOutcome | undefined
}

/**
 * Runs all handlers that have not succeeded in an earlier run, one after the other, even if one of them fails.
 * Never rejects, whatever they throw.
 *
 * @param timeout limit for each handler without its own, in milliseconds; 0: none.
 * @param strict whether what a handler returns by mistake fails the run: see {@link isStrict}.
 */
export async function execute(
  registry: HandlerRegistry,
  context: DeliveryContext,
  timeout: number,
  strict: boolean = isStrict(),
): Promise<Execution> {
  const { middleware } = registry
  const handlers = registry.get(context.delivery.type)
  const handled = readHandled(context.delivery.handled, handlers)
  const tally: Tally = { handled, failures: [], outcome: undefined }
  const run = (): Promise<unknown> => runHandlers(handlers, context, { timeout, strict }, tally)
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

/** The end of a message without a handler, where it cannot wait for one. */
export function unhandled(type: string): Execution {
  const error = new HandlerError(
    `no handler is registered for ${type}: call registerHandler('${type}', …) first`,
    false,
  )
  return failed(error, { handled: [], failures: [], outcome: undefined })
}

async function runHandlers(
  handlers: readonly HandlerEntry[],
  context: DeliveryContext,
  rules: Rules,
  tally: Tally,
): Promise<unknown> {
  for (const handler of handlers) {
    if (tally.handled.includes(handler.identity)) continue
    if (context.aborted) throw tally.failures[0]?.error ?? context.signal.reason
    await runHandler(handler, context, rules, tally)
  }
  const [first] = tally.failures
  if (first !== undefined) throw first.error
  return tally.outcome
}

async function runHandler(
  handler: HandlerEntry,
  context: DeliveryContext,
  { timeout, strict }: Rules,
  tally: Tally,
): Promise<void> {
  // What middleware asked for is not this handler's.
  noteOutcome(tally, context.takeOutcome())
  const limit = handler.timeout ?? timeout
  const start = (): unknown => (limit > 0 ? runLimited(handler, context, limit) : run(handler, context))
  const made: HandlerOutcome[] | undefined = strict ? [] : undefined
  try {
    const returned = await (made === undefined ? start() : notingOutcomes(made, start))
    judge(handler, context, returned, made)
    noteEnd(handler, [context.takeOutcome(), returned], tally)
  } catch (error) {
    const asked = context.takeOutcome()
    if (isOutcome(error)) noteEnd(handler, [asked, error], tally)
    else tally.failures.push({ error, own: askHandler(handler, error, context) })
  }
}

/** Notes how a handler ended that did not fail. */
function noteEnd(handler: HandlerEntry, outcomes: unknown[], tally: Tally): void {
  for (const outcome of outcomes) noteOutcome(tally, outcome)
  if (!outcomes.some(isSnooze)) tally.handled.push(handler.identity)
}

/** Several handlers may return an outcome; snoozing takes precedence over discarding. */
function noteOutcome(tally: Tally, returned: unknown): void {
  if (isSnooze(returned)) tally.outcome = returned
  else if (isDiscard(returned)) tally.outcome ??= returned
}

function run(handler: HandlerEntry, context: DeliveryContext): unknown {
  return handler.schema === undefined ? handler.run(context) : runValidated(handler, handler.schema, context)
}

async function runValidated(
  handler: HandlerEntry,
  schema: NonNullable<HandlerEntry['schema']>,
  context: DeliveryContext,
): Promise<unknown> {
  const stored = context.message
  const payload = await parsePayload(schema, stored.type, stored.payload)
  context.message = { ...stored, payload: payload as Record<string, unknown> }
  try {
    return await handler.run(context)
  } finally {
    context.message = stored
  }
}

/** A handler that ignores its signal keeps running, but its result does not count any more. */
async function runLimited(handler: HandlerEntry, context: DeliveryContext, limit: number): Promise<unknown> {
  context.limitTo(Date.now() + limit)
  let timer: NodeJS.Timeout | undefined
  try {
    const running = run(handler, context)
    // Most handlers that promise nothing are done, and need no timer.
    if (!isPromise(running)) return running
    const late = new Promise<never>((_, reject) => {
      // It keeps no process alive: a consumer at work does.
      timer = setTimeout(() => reject(giveUp(handler, context, limit, running)), limit).unref()
    })
    return await Promise.race([running, late])
  } finally {
    clearTimeout(timer)
    context.limitTo(null)
  }
}

function giveUp(handler: HandlerEntry, context: DeliveryContext, limit: number, running: Promise<unknown>): Error {
  const { type } = context.delivery
  const error = new HandlerTimeoutError(`${handler.name} took longer than ${limit} ms with a ${type}`, { limit })
  countStray(running)
  context.abort(error)
  return error
}

function succeeded({ outcome, handled }: Tally): Execution {
  if (outcome === undefined) return COMPLETED
  if (isSnooze(outcome)) return { settlement: { as: 'snoozed', delay: outcome.delay, handled } }
  return { settlement: { as: 'discarded', reason: clean(String(outcome.reason), 1_000) } }
}

function failed(error: unknown, tally: Tally): Execution {
  const { retryable, retryAfter } = verdict(error, tally)
  return {
    settlement: { as: 'failed', retryable, retryAfter, error: reportError(error), handled: tally.handled },
    error,
  }
}

/**
 * A handler's own decision counts first, even if middleware wrapped its error. One handler worth a retry is enough:
 * those that succeeded do not run again.
 */
function verdict(error: unknown, { failures }: Tally): Classification {
  const asked = failures.some(({ own }) => own !== undefined)
  const isTheirs = failures.some((failure) => failure.error === error)
  if (!asked && !isTheirs) return classifyError(error)
  const verdicts = failures.map((failure) => failure.own ?? classifyError(failure.error))
  const waits = verdicts.map(({ retryAfter }) => retryAfter).filter((wait) => wait !== null)
  const retryable = verdicts.some((one) => one.retryable)
  return { retryable, retryAfter: retryable && waits.length > 0 ? Math.max(...waits) : null }
}
