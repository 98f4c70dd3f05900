/** The options of a consumer, checked one by one. */
import type { Duration } from '../base/duration.js'
import { looksLikeSeconds, NOT_SECONDS } from '../base/instant.js'
import { type Check, checked, must, positiveDuration } from '../base/options.js'
import type { AnyRegistry, HandlerRegistry } from '../handlers/registry.js'

/** How messages are consumed. Everything is optional; what is absent comes from the configuration. */
export interface ConsumeOptions {
  /** Messages in one claim; by default `worker.batchSize`. */
  batchSize?: number
  /** Handlers running at a time; by default `worker.maxConcurrency`. */
  maxConcurrency?: number
  /** Stop after this many messages. */
  messageLimit?: number
  /** Stop after this long: milliseconds, or `'50s'`. What was not started by then is handed back. */
  timeLimit?: Duration
  /** Stop at this instant: a `Date`, or milliseconds since the epoch. The earlier of this and `timeLimit` counts. */
  deadline?: Date | number
  /** Stop when the process uses more than this: bytes, or `'128M'`. Checked after each group of outcomes. */
  memoryLimit?: number | string
  /** Stop after this many failed messages. */
  failureLimit?: number
  /** One transport to drain. */
  transport?: string
  /** Transports to drain, in this order; by default all that can be consumed. */
  transports?: string[]
  /** Only these queues, in order of preference within a priority; by default all, which take turns. */
  queues?: string[]
  /** Where the handlers are; by default the registry of the process. */
  registry?: AnyRegistry
  /** Stops the drain when it is aborted: running handlers finish, the rest is handed back. */
  signal?: AbortSignal
}

/** Options that passed, in milliseconds and bytes. */
export interface CheckedOptions {
  batchSize?: number
  maxConcurrency?: number
  messageLimit?: number
  timeLimit?: number
  memoryLimit?: number
  failureLimit?: number
  transports?: string[]
  queues?: string[]
  registry?: AnyRegistry
  signal?: AbortSignal
}

const CHECKS: Record<keyof ConsumeOptions, Check> = {
  batchSize: count,
  maxConcurrency: count,
  messageLimit: count,
  timeLimit: positiveDuration,
  deadline: instant,
  memoryLimit: bytes,
  failureLimit: count,
  transport: name,
  transports: names,
  queues: names,
  registry: (value, key) =>
    must(typeof (value as HandlerRegistry | null)?.claimable === 'function', key, value, 'a HandlerRegistry', value),
  signal: (value, key) => must(value instanceof AbortSignal, key, value, 'an AbortSignal', value),
}

/** The names of the options. */
export const CONSUME_OPTIONS: readonly string[] = Object.keys(CHECKS)

/**
 * Checks options and converts each to one unit.
 *
 * @throws ConfigurationError naming the option, what it got and what it wants.
 */
export function checkOptions(options: ConsumeOptions, more: Record<string, Check> = {}): CheckedOptions {
  const { deadline, transport, ...rest } = checked(options, { ...CHECKS, ...more })
  if (transport !== undefined) rest.transports ??= [transport]
  if (deadline !== undefined) rest.timeLimit = timeLeft(deadline as number, rest.timeLimit)
  return rest
}

/** Zero if it is late from the start: such a drain claims nothing, and still reports what waits. */
function timeLeft(deadline: number, timeLimit: unknown): number {
  return Math.max(0, Math.min(deadline - Date.now(), (timeLimit as number | undefined) ?? Number.POSITIVE_INFINITY))
}

function count(value: unknown, key: string): unknown {
  return must(Number.isSafeInteger(value) && (value as number) >= 1, key, value, 'a whole number from 1', value)
}

function instant(value: unknown, key: string): number {
  must(!looksLikeSeconds(value), key, value, NOT_SECONDS, value)
  const time = value instanceof Date ? value.getTime() : value
  return must(Number.isFinite(time), key, value, 'a valid Date or milliseconds since the epoch', time as number)
}

const UNITS: Record<string, number> = { '': 1, K: 1_024, M: 1_024 ** 2, G: 1_024 ** 3 }

function bytes(value: unknown, key: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?([KMG]?)i?B?$/i.exec(String(value).trim()) ?? []
  const size = Number(amount) * (UNITS[(unit ?? '').toUpperCase()] ?? Number.NaN)
  return must(size > 0, key, value, "bytes, or text like '128M'", size)
}

function name(value: unknown, key: string): unknown {
  return must(isName(value), key, value, 'a name', value)
}

function names(value: unknown, key: string): unknown {
  const fits = Array.isArray(value) && value.length > 0 && value.every(isName)
  return must(fits, key, value, 'an array of at least one name', value)
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
