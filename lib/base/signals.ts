/** SIGTERM and SIGINT: a listener takes over from Node, and has to end the process. */
import { constants } from 'node:os'
import type { Log } from './logger.js'
import { processLife } from './process-life.js'

const SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT']

/** Calls `stop` at each SIGTERM and SIGINT; the returned function ends that. */
export function listenToSignals(stop: (signal: NodeJS.Signals) => void): () => void {
  const listeners = SIGNALS.map((signal) => ({ signal, listener: () => stop(signal) }))
  for (const { signal, listener } of listeners) {
    processLife().signalListeners.add(listener)
    process.on(signal, listener)
  }
  return () => {
    for (const { signal, listener } of listeners) {
      processLife().signalListeners.delete(listener)
      process.off(signal, listener)
    }
  }
}

/** Whether the application listens to a signal itself, and so ends the process itself. */
export function isSharedSignal(signal: NodeJS.Signals): boolean {
  return process.listeners(signal).some((listener) => !processLife().signalListeners.has(listener))
}

/** What keeps a process that was told to end. */
export interface Remains {
  /** Handlers that still run although nobody waits for them. */
  handlers: () => number
  /** Consumers whose outcomes are still to be written: nothing ends before them. */
  consumers: () => number
  /** Whether the application ends the process itself if no handler keeps it alive. */
  left: boolean
  /** Where it is said that handlers were left behind. */
  log: Log
}

/**
 * Ends a process that is still there a grace period after everything was handed back, as its signal would have done:
 * with 128 and the signal's number, 143 for SIGTERM and 130 for SIGINT, or with the `process.exitCode` that is set. A
 * process that ends by itself is not kept.
 */
export function endProcess(signal: NodeJS.Signals, grace: number, remains: Remains): void {
  const end = (): void => {
    if (remains.consumers() > 0) {
      endProcess(signal, Math.max(grace, SHORTEST_WAIT_MS), remains)
      return
    }
    const handlers = remains.handlers()
    if (handlers === 0 && remains.left) return
    const exitCode = process.exitCode ?? 128 + constants.signals[signal]
    if (handlers > 0) remains.log.current.warn(IGNORED, { handlers, signal, exitCode })
    process.exit(exitCode)
  }
  setTimeout(end, grace).unref()
}

/** Between two checks of consumers that are still writing. */
const SHORTEST_WAIT_MS = 100

const IGNORED =
  'handlers ignore their signal: their messages were handed back, and the process ends without waiting for them'
