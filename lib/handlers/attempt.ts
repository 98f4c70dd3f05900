/**
 * Runs one handler with one message: its schema, its time limit, what it returned or threw.
 *
 * Every message comes through here, so nothing is awaited that is there already, and no function is asynchronous: V8
 * takes several times as long to optimize one that is, in each process anew.
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

/** How handlers are run. */
export interface Rules {
  /** Limit for a handler without its own, in milliseconds; 0: none. */
  timeout: number
  /** Whether what a handler returns by mistake fails the run. */
  strict: boolean
}

/** Runs a handler and notes in `tally` how it ended; nothing is to be awaited of one that promises nothing. */
export function attempt(
  handler: HandlerEntry,
  context: DeliveryContext,
  { timeout, strict }: Rules,
  tally: Tally,
): Promise<void> | undefined {
  // What middleware asked for is not this handler's.
  noteOutcome(tally, context.takeOutcome())
  const limit = handler.timeout ?? timeout
  const made: HandlerOutcome[] | undefined = strict ? [] : undefined
  try {
    const returned =
      made === undefined ? start(handler, context, limit) : notingOutcomes(made, () => start(handler, context, limit))
    if (isPromise(returned)) {
      return returned.then(
        (value) => noteReturned(handler, context, value, made, tally),
        (error: unknown) => noteThrown(handler, context, error, tally),
      )
    }
    noteReturned(handler, context, returned, made, tally)
  } catch (error) {
    noteThrown(handler, context, error, tally)
  }
  return undefined
}

function noteReturned(
  handler: HandlerEntry,
  context: DeliveryContext,
  returned: unknown,
  made: HandlerOutcome[] | undefined,
  tally: Tally,
): void {
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

/** What it returns, or a promise that rejects at its time limit. */
function start(handler: HandlerEntry, context: DeliveryContext, limit: number): unknown {
  if (limit <= 0) return run(handler, context)
  context.limitTo(Date.now() + limit)
  const running = run(handler, context)
  return isPromise(running) ? limited(handler, context, limit, running) : running
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
function limited(
  handler: HandlerEntry,
  context: DeliveryContext,
  limit: number,
  running: Promise<unknown>,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    // It keeps no process alive: a consumer at work does.
    const timer = setTimeout(() => reject(giveUp(handler, context, limit, running)), limit).unref()
    running.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
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
