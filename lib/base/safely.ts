/**
 * Calls to code of the application where nobody could catch what it throws: listeners, hooks, the tracer. Thrown from a
 * callback of the core or of a timer, an error would end the process, and with it the messages of others.
 */
import { getLogger, type LogFields } from './logger.js'
import { isThenable } from './thenable.js'

/** What has failed before. A listener may be called a thousand times per second; one log line is enough. */
const told = new WeakSet<object>()

/**
 * Calls `code`. What it throws, or what its promise rejects with, is logged and ends here.
 *
 * @param what names it in the log line.
 * @param once for frequent calls: the function or object of the application whose failure is logged only once.
 * @returns what `code` returns; `undefined` if it threw.
 */
export function safely<T>(what: string, code: () => T, once?: object, fields?: LogFields): T | undefined {
  const tell = (error: unknown): void => {
    if (once === undefined) getLogger().error(`${what} failed`, { ...fields, error })
    else if (!told.has(once)) getLogger().error(`${what} failed`, { ...fields, reported: 'once', error })
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
export function emitSafely(emitter: Listened, owner: string, event: string, facts: readonly unknown[]): void {
  for (const listener of emitter.rawListeners(event)) {
    // Under `once`, the listener of the application is inside.
    const inner = (listener as { listener?: object }).listener ?? listener
    safely(`a listener of a ${owner} event`, () => listener.apply(emitter, facts), inner, { event })
  }
}
