/**
 * Code of the application that is called where nobody could take what it throws: listeners, hooks, the tracer. Thrown
 * from a callback of the core or of a timer, an error would end the process, and the messages of others with it.
 */
import { getLogger, type LogFields } from './logger.js'
import { isThenable } from './thenable.js'

/** What has failed before. A listener may be called a thousand times a second; one line says what is wrong with it. */
const told = new WeakSet<object>()
const toldByName = new Set<string>()

/**
 * Calls `code`. What it throws, or what its promise rejects with, is logged once and ends here.
 *
 * @param what names it in the log line.
 * @param culprit of whom it is reported once: the function of the application, where there is one.
 * @returns what `code` returns; `undefined` when it has thrown.
 */
export function safely<T>(what: string, code: () => T, culprit?: object, fields?: LogFields): T | undefined {
  const tell = (error: unknown): void => {
    const isNews = culprit === undefined ? !toldByName.has(what) : !told.has(culprit)
    if (culprit === undefined) toldByName.add(what)
    else told.add(culprit)
    if (isNews) getLogger().error(`${what} failed`, { ...fields, reported: 'once', error })
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

/** What there is of an event emitter's listeners. */
interface Listened {
  // biome-ignore lint/complexity/noBannedTypes: as `node:events` types them.
  rawListeners(name: string): Function[]
}

/** Calls each listener of an event; one that fails reaches neither the others nor the caller. */
export function emitSafely(emitter: Listened, owner: string, event: string, facts: readonly unknown[]): void {
  for (const listener of emitter.rawListeners(event)) {
    // Under `once`, the listener of the application is inside.
    const culprit = (listener as { listener?: object }).listener ?? listener
    safely(`a listener of a ${owner} event`, () => listener.apply(emitter, facts), culprit, { event })
  }
}
