/**
 * Runs one handler with one message: its schema, its time limit, what it returned or threw.
 *
 * Every message comes through here, so nothing is awaited that is there already: what V8 optimizes of this it optimizes
 * in each process anew, and in a short one that is most of what Node does.
 */
import { HandlerTimeoutError } from '../base/errors.js'
import { countStray } from '../base/process-life.js'
import { isPromise, parsePayload } from '../message/schema.js'
import { askHandler } from './classification.js'
import type { DeliveryContext } from './context.js'
import type { HandlerEntry } from './entry.js'
import { type HandlerOutcome, isOutcome, isSnooze, notingOutcomes } from './outcomes.js'
import { judge } from './returned.js'
import { noteOutcome, type Tally } from './tally.js'
import { TimeLimits } from './time-limits.js'

/** How handlers are run. */
export interface Rules {
  /** Limit for a handler without its own, in milliseconds; 0: none. */
  timeout: number
  /** Whether what a handler returns by mistake fails the run. */
  strict: boolean
}

/**
 * Runs a handler, notes in `tally` how it ended, and then calls `end`: at once for a handler that promises nothing.
 *
 * @returns what `end` returns.
 */
export function attempt<T>(
  handler: HandlerEntry,
  context: DeliveryContext,
  { timeout, strict }: Rules,
  tally: Tally,
  end: () => T,
): T | Promise<T> {
  // What middleware asked for is not this handler's.
  if (context.hasOutcome) noteOutcome(tally, context.takeOutcome())
  const limit = handler.timeout ?? timeout
  const expires = limit > 0 ? performance.now() + limit : null
  context.limitTo(expires)
  const made: HandlerOutcome[] | undefined = strict ? [] : undefined
  try {
    const returned = made === undefined ? run(handler, context) : notingOutcomes(made, () => run(handler, context))
    if (isPromise(returned)) {
      // Only once: what is merely like a promise, as a query builder, may begin its work anew each time it is asked.
      const running = Promise.resolve(returned)
      const ended = expires === null ? running : limited(handler, context, limit, expires, running)
      return ended.then(
        (value) => {
          noteReturned(handler, context, value, made, tally)
          return end()
        },
        (error: unknown) => {
          noteThrown(handler, context, error, tally)
          return end()
        },
      )
    }
    noteReturned(handler, context, returned, made, tally)
  } catch (error) {
    noteThrown(handler, context, error, tally)
  }
  return end()
}

function noteReturned(
  handler: HandlerEntry,
  context: DeliveryContext,
  returned: unknown,
  made: HandlerOutcome[] | undefined,
  tally: Tally,
): void {
  // What nearly all do: V8 compiles no way that is never gone.
  if (returned === undefined && made === undefined && !context.hasOutcome) {
    context.limitTo(null)
    tally.handled.push(handler.identity)
    return
  }
  try {
    judge(handler, context, returned, made)
  } catch (error) {
    noteThrown(handler, context, error, tally)
    return
  }
  noteEnd(handler, context, returned, tally)
}

/** An outcome may also be thrown. */
function noteThrown(handler: HandlerEntry, context: DeliveryContext, error: unknown, tally: Tally): void {
  if (isOutcome(error)) {
    noteEnd(handler, context, error, tally)
    return
  }
  context.limitTo(null)
  context.takeOutcome()
  tally.failures.push({ error, own: askHandler(handler, error, context) })
}

/** Notes how a handler ended that did not fail. */
function noteEnd(handler: HandlerEntry, context: DeliveryContext, outcome: unknown, tally: Tally): void {
  context.limitTo(null)
  const asked = context.takeOutcome()
  noteOutcome(tally, asked)
  noteOutcome(tally, outcome)
  if (!isSnooze(asked) && !isSnooze(outcome)) tally.handled.push(handler.identity)
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

const limits = new TimeLimits()

/** A handler that ignores its signal keeps running, but its result does not count any more. */
function limited(
  handler: HandlerEntry,
  context: DeliveryContext,
  limit: number,
  expires: number,
  running: Promise<unknown>,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const one = { expires, expire: () => reject(giveUp(handler, context, limit, running)), place: -1 }
    limits.add(one)
    running.then(
      (value) => {
        limits.remove(one)
        resolve(value)
      },
      (error: unknown) => {
        limits.remove(one)
        reject(error)
      },
    )
  })
}

function giveUp(handler: HandlerEntry, context: DeliveryContext, limit: number, running: Promise<unknown>): Error {
  const { type } = context.delivery
  const error = new HandlerTimeoutError(`${handler.name} took longer than ${limit} ms with a ${type}`, { limit })
  countStray(running)
  context.abort(error)
  return error
}
