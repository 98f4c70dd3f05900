/** Stopping workers, wherever they run. */

import { setTimeout as sleep } from 'node:timers/promises'
import { BECAUSE, type Because } from '../base/because.js'
import type { Duration } from '../base/duration.js'
import { type Check, checked, flag, must, positiveDuration, words } from '../base/options.js'
import type { Core } from '../core/core.js'
import { idsOf } from './dead-letters.js'

/** Which workers to stop, and whether to wait for them. */
export interface StopWorkersOptions extends Because {
  /** Only those that take this transport. */
  transport?: string
  /** Only those of these ids. */
  ids?: string[]
  /** Return when they are gone and nothing is in their hands. */
  wait?: boolean
  /** How long to wait at most; by default as long as it takes. */
  timeout?: Duration
  /** Is told while it waits, whenever something has changed. */
  onProgress?: (waitingFor: StoppingWorker[]) => void
}

/** A worker or drain that was asked to stop. */
export interface StoppingWorker {
  /** Its id. */
  id: string
  /** Its machine; empty if it is not known any more. */
  host: string
  /** Its process. */
  pid: number
  /** How many messages are in its hands. */
  running: number
}

/** What became of the workers that were asked to stop. */
export interface StoppedWorkers {
  /** Those that were asked, and what they had in hand then. */
  asked: StoppingWorker[]
  /** Those that are not gone: without `wait` all of them; with it those that the timeout has left. */
  waitingFor: StoppingWorker[]
}

/** Stopping the workers of an instance. */
export interface StopWorkersFunctions {
  /**
   * Asks workers and drains to stop, in all processes: all of them, those that take a transport, or some. Each hears of it
   * with its next heartbeat, which is due within a third of `worker.lease`: it claims nothing more, hands back what it has
   * not begun, which uses up no attempt, lets its handlers end, and leaves as by `stop()`. What comes later is not asked.
   *
   * With `wait` it returns when all of them are gone and nothing is in their hands.
   *
   * @throws ConfigurationError naming the invalid option, TransportError for a transport that does not exist.
   *
   * @example
   * const { waitingFor } = await stopWorkers({ transport: 'email', wait: true, timeout: '60s' })
   */
  stopWorkers(options?: StopWorkersOptions): Promise<StoppedWorkers>
}

/** How often it looks whether they are gone. */
const AGAIN = 250

const callback: Check = (value, key) => must(typeof value === 'function', key, value, 'a function', value)

const CHECKS: Record<keyof StopWorkersOptions, Check> = {
  ...BECAUSE,
  transport: words,
  ids: idsOf('a worker'),
  wait: flag,
  timeout: positiveDuration,
  onProgress: callback,
}

/** The functions over a core. */
export function stopWorkersFunctions(core: Core): StopWorkersFunctions {
  return {
    async stopWorkers(options: StopWorkersOptions = {}): Promise<StoppedWorkers> {
      const { wait, timeout, onProgress, ...which } = checked(options, CHECKS) as StopWorkersOptions
      const asked = await core.ask<StoppingWorker[]>((it) => it.stopWorkers(JSON.stringify(which)))
      if (wait !== true) return { asked, waitingFor: asked }
      const ids = JSON.stringify(asked.map(({ id }) => id))
      const last = timeout === undefined ? Number.POSITIVE_INFINITY : performance.now() + (timeout as number)
      let waitingFor = asked
      let said = ''
      while (waitingFor.length > 0) {
        waitingFor = await core.ask<StoppingWorker[]>((it) => it.stoppingWorkers(ids))
        const now = JSON.stringify(waitingFor)
        if (now !== said) onProgress?.(waitingFor)
        said = now
        if (waitingFor.length === 0 || performance.now() >= last) break
        await sleep(Math.min(AGAIN, Math.max(1, last - performance.now())))
      }
      return { asked, waitingFor }
    },
  }
}
