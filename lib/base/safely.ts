/**
 * Calls to code of the application where nobody could catch what it throws: listeners, hooks, the tracer. Thrown from a
 * callback of the core or of a timer, an error would end the process, and with it the messages of others.
 */
import { type Log, type LogFields, processLog } from './logger.js'
import { isThenable } from './thenable.js'

/** What has failed before. A listener may be called a thousand times per second; one log line is enough. */
const told = new WeakSet<object>()

/** How a failure is told. */
export interface Telling {
  /** For frequent calls: the function or object of the application whose failure is logged only once. */
  once?: object
  /** More fields of the log line. */
  fields?: LogFields
  /** Where it is logged; by default in the log of the process. */
  log?: Log
}

/**
 * Calls `code`. What it throws, or what its promise rejects with, is logged and ends here.
 *
 * @param what names it in the log line.
 * @returns what `code` returns; `undefined` if it threw.
 */
export function safely<T>(what: string, code: () => T, { once, fields, log }: Telling = {}): T | undefined {
  const tell = (error: unknown): void => {
    if (once !== undefined && told.has(once)) return
    const reported = once === undefined ? {} : { reported: 'once' }
    ;(log ?? processLog()).current.error(`${what} failed`, { ...fields, ...reported, error })
    if (once !== undefined) told.add(once)
  }
  try {
    const returned = code()
    if (isThenable(returned)) returned.then(undefined, tell)
    return returned
  } catch (error) {
    tell(error)
    return undefined
  }
}

/** The part of an event emitter that is needed here. */
interface Listened {
  // biome-ignore lint/complexity/noBannedTypes: as `node:events` types them.
  rawListeners(name: string): Function[]
}

/** Calls each listener of an event; one that fails reaches neither the others nor the caller. */
export function emitSafely(
  emitter: Listened,
  owner: string,
  event: string,
  facts: readonly unknown[],
  log?: Log,
): void {
  for (const listener of emitter.rawListeners(event)) {
    // Under `once`, the listener of the application is inside.
    const inner = (listener as { listener?: object }).listener ?? listener
    safely(`a listener of a ${owner} event`, () => listener.apply(emitter, facts), {
      once: inner,
      fields: { event },
      log,
    })
  }
}
