/** Pauses: messages that wait, and are not handled until somebody says so. */

import { BECAUSE, type Because } from '../base/because.js'
import type { Duration } from '../base/duration.js'
import { ConfigurationError } from '../base/errors.js'
import { type Check, checked, instant, must, positiveDuration } from '../base/options.js'
import type { Core } from '../core/core.js'

/** Which messages: those of this transport, queue and type; what is not named, of any. One name at least. */
export interface PauseScope {
  /** Only of this transport. */
  transport?: string
  /** Only of this queue. */
  queue?: string
  /** Only of this type. */
  type?: string
}

/** What to pause, and until when. */
export interface PauseOptions extends PauseScope, Because {
  /** When it is over by itself; by default when it is resumed. */
  until?: Date | number | string
  /** After how long it is over by itself, instead of `until`. */
  for?: Duration
}

/** What is paused. */
export interface Pause {
  /** Only of this transport; `null`: of any. */
  transport: string | null
  /** Only of this queue; `null`: of any. */
  queue: string | null
  /** Only of this type; `null`: of any. */
  type: string | null
  /** Who paused it, if anybody said so. */
  actor: string | null
  /** Why, if anybody said so. */
  reason: string | null
  /** Since when. */
  since: Date
  /** When it is over by itself; `null`: when it is resumed. */
  until: Date | null
}

/** Pauses of an instance. */
export interface PauseFunctions {
  /**
   * Pauses messages of a transport, a queue or a type: from now on no process claims any of them. What is being handled
   * ends as usual, and dispatches go on. Pausing what is paused changes who, why and until when.
   *
   * @throws ConfigurationError naming the invalid option, TransportError for a transport that does not exist.
   *
   * @example
   * await pause({ queue: 'newsletter', reason: 'provider is down', for: '30m' })
   */
  pause(options: PauseOptions): Promise<Pause>

  /**
   * Ends the pause of exactly these names. Workers that wait begin at once.
   *
   * @returns the pause that there was; `null`: there was none.
   * @throws ConfigurationError, TransportError as {@link pause}.
   */
  resume(options: PauseScope & Because): Promise<Pause | null>

  /** What is paused, since longest first. */
  listPauses(): Promise<Pause[]>
}

/** The functions over a core. */
export function pauseFunctions(core: Core): PauseFunctions {
  return {
    async pause(options: PauseOptions): Promise<Pause> {
      const asked = scoped(options, { ...SCOPE, ...BECAUSE, until: instant, for: positiveDuration })
      return shownPause(await core.ask<NativePause>((it) => it.pause(asked)))
    },
    async resume(options: PauseScope & Because): Promise<Pause | null> {
      const asked = scoped(options, { ...SCOPE, ...BECAUSE })
      const resumed = await core.ask<NativePause | null>((it) => it.resume(asked))
      return resumed === null ? null : shownPause(resumed)
    },
    async listPauses(): Promise<Pause[]> {
      return (await core.ask<NativePause[]>((it) => it.pauses())).map(shownPause)
    },
  }
}

type NativePause = Omit<Pause, 'since' | 'until'> & { since: number | null; until: number | null }

function shownPause(native: NativePause): Pause {
  const { since, until } = native
  return { ...native, since: new Date(since ?? Number.NaN), until: until === null ? null : new Date(until) }
}

const name: Check = (value, key) => must(typeof value === 'string' && value !== '', key, value, 'a name', value)

const SCOPE: Record<keyof PauseScope, Check> = { transport: name, queue: name, type: name }

/** One that names nothing, or an `undefined`, would be more than was meant. */
function scoped(options: object, checks: Record<string, Check>): string {
  const asked = checked(options, checks)
  for (const key of Object.keys(SCOPE)) {
    if (key in options && asked[key] === undefined) {
      throw new ConfigurationError(`options.${key} is undefined; leave it out if you mean any`)
    }
  }
  return JSON.stringify(asked)
}
