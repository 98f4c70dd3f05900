/**
 * A test kit: messages stay in memory, the clock obeys, and nothing needs a database.
 */
import { AssertionError } from 'node:assert'
import { isDeepStrictEqual } from 'node:util'
import { DURATION_FORM, type Duration, parseDuration } from '../base/duration.js'
import { ConfigurationError } from '../base/errors.js'
import { shown } from '../base/options.js'
import { merge } from '../config/merge.js'
import type { EffectiveConfig, SymphonyConfig, TransportsConfig } from '../config/model.js'
import type { ConsumeResult } from '../consume/consumer.js'
import { callNative } from '../core/native-error.js'
import type { AnyRegistry } from '../handlers/registry.js'
import type { MessageHeaders, MessageMetadata } from '../message/message.js'
import { type AnySymphony, partsOf } from '../symphony.js'

/** A message in a memory transport. */
export interface DispatchedMessage {
  /** The message's id. */
  id: string
  /** Its type. */
  type: string
  /** The transport it is in. */
  transport: string
  /** The queue within the transport. */
  queue: string
  /** 1 to 10. */
  priority: number
  /** Where it is in its life. Dead letters are not here; see `listFailed()`. */
  status: 'pending' | 'processing' | 'completed' | 'discarded'
  /** As it was stored. */
  payload: Record<string, unknown>
  /** The caller's headers. */
  headers: MessageHeaders
  /** Metadata of message and options, merged. */
  metadata: MessageMetadata
  /** When it can be handled at the earliest. */
  availableAt: Date
  /** Failed runs so far. */
  retryCount: number
  /** The caller's key, if any. */
  idempotencyKey: string | null
}

/** Which messages: exactly this many, one with these fields in its payload, or one that a function accepts. */
export type DispatchMatcher = number | Record<string, unknown> | ((message: DispatchedMessage) => boolean)

/** Tests of an application, over one instance. */
export interface TestKit {
  /**
   * Keeps every message in memory: routing leads to the transport `memory`, and transports named explicitly become memory
   * transports too. The transport `sync` is not affected.
   *
   * @returns a function that undoes it.
   */
  useMemoryTransport(): () => void

  /** The messages in memory, oldest first, including handled ones; of one type, or of all. */
  dispatched(type?: string): DispatchedMessage[]

  /**
   * Asserts that messages of a type were dispatched.
   *
   * @param matcher a number: exactly this many; an object: one whose payload has these fields; a function: one it
   * accepts; by default at least one.
   * @returns the messages that match.
   * @throws AssertionError that says what was dispatched instead.
   */
  assertDispatched(type: string, matcher?: DispatchMatcher): DispatchedMessage[]

  /** Handles everything in memory that is due, including retries that become due meanwhile. */
  drain(registry?: AnyRegistry): Promise<ConsumeResult>

  /** Stops the clock of the memory transports at an instant; without one, it runs in real time again. */
  setNow(instant?: Date | number): void

  /**
   * Moves the clock of the memory transports forward.
   *
   * @param duration milliseconds, or `'5m'`, `'24h'`.
   */
  advance(duration: Duration): void

  /** Forgets all messages in memory, dead letters too, and lets the clock run in real time. */
  reset(): void
}

/**
 * The test kit of an instance.
 *
 * @example
 * const { useMemoryTransport, assertDispatched } = createTestKit(symphony)
 */
export function createTestKit(symphony: AnySymphony): TestKit {
  mustBeInstance(symphony)
  const { core, configuration } = partsOf(symphony)

  const memoryTransports = (): string[] => {
    const { transports } = configuration.peek()
    const names = Object.keys(transports)
    return names.filter((name) => transports[name]?.type === 'memory' && transports[name].enabled !== false)
  }
  const command = (transport: string, what: object): unknown =>
    JSON.parse(callNative(() => core.get().memory(transport, JSON.stringify(what))))
  const dispatched = (type?: string): DispatchedMessage[] => {
    const all = memoryTransports().flatMap((transport) =>
      (command(transport, { do: 'list' }) as NativeMessage[]).map((message) => toMessage(message, transport)),
    )
    const wanted = type === undefined ? all : all.filter((message) => message.type === type)
    // Ids are UUIDv7, which sort by time.
    return wanted.sort((left, right) => (left.id < right.id ? -1 : 1))
  }
  const setNow = (instant?: Date | number): void => {
    const now = instant === undefined ? null : instant.valueOf()
    if (Number.isNaN(now)) throw new ConfigurationError('setNow: wants a valid Date or milliseconds since the epoch')
    for (const transport of memoryTransports()) command(transport, { do: 'set', now })
  }

  return {
    useMemoryTransport() {
      const { runtime } = configuration.layers.current
      configuration.change({ runtime: merge<SymphonyConfig>(runtime, inMemory(configuration.peek())) })
      return () => configuration.change({ runtime })
    },
    dispatched,
    assertDispatched: (type, matcher) => assertIn(dispatched, type, matcher),
    drain: (registry) => symphony.consumeBatch({ registry, transports: memoryTransports() }),
    setNow,
    advance(duration) {
      const ms = parseDuration(duration)
      if (ms === undefined) throw new ConfigurationError(`advance: got ${String(duration)}, wants ${DURATION_FORM}`)
      for (const transport of memoryTransports()) command(transport, { do: 'advance', ms })
    },
    reset() {
      for (const transport of memoryTransports()) command(transport, { do: 'clear' })
      setNow()
    },
  }
}

function mustBeInstance(symphony: AnySymphony): void {
  if (symphony && partsOf(symphony) !== undefined) return
  throw new ConfigurationError(
    `createTestKit: got ${shown(symphony)}, wants what createSymphony() gives; for the functions of the package itself ` +
      'there is a kit: import { useMemoryTransport, … } from "@leadmap/symphony/testing"',
  )
}

function inMemory({ transports, routing }: EffectiveConfig): SymphonyConfig {
  const stored = Object.keys(transports).filter((name) => transports[name]?.type !== 'sync')
  return {
    defaultTransport: 'memory',
    priorityRouting: [],
    routing: Object.fromEntries([...Object.keys(routing), '*'].map((type) => [type, 'memory'])),
    transports: Object.fromEntries([...stored, 'memory'].map((name) => [name, { type: 'memory' }])) as TransportsConfig,
  }
}

type NativeMessage = Omit<DispatchedMessage, 'transport' | 'availableAt'> & { availableAt: number }

function toMessage(message: NativeMessage, transport: string): DispatchedMessage {
  return { ...message, transport, availableAt: new Date(message.availableAt) }
}

type Dispatched = (type?: string) => DispatchedMessage[]

function assertIn(dispatched: Dispatched, type: string, matcher?: DispatchMatcher): DispatchedMessage[] {
  const found = dispatched(type)
  if (typeof matcher === 'number') {
    if (found.length === matcher) return found
    throw failure(`${matcher} messages of type ${type}, and there are ${found.length}`, found, dispatched)
  }
  const matching = matcher === undefined ? found : found.filter(toPredicate(matcher))
  if (matching.length > 0) return matching
  throw failure(`a ${type}${matcher === undefined ? '' : ' that matches'}`, found, dispatched)
}

function toPredicate(matcher: Exclude<DispatchMatcher, number>): (message: DispatchedMessage) => boolean {
  if (typeof matcher === 'function') return matcher
  return ({ payload }) => contains(payload, matcher)
}

function contains(actual: unknown, expected: unknown): boolean {
  if (!isRecord(actual) || !isRecord(expected)) return isDeepStrictEqual(actual, expected)
  return Object.entries(expected).every(([key, value]) => contains(actual[key], value))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Shows the messages of the type, or all if it has none. */
function failure(expected: string, found: DispatchedMessage[], dispatched: Dispatched): AssertionError {
  const seen = found.length > 0 ? found : dispatched()
  const lines = seen.slice(0, 10).map(({ type, payload, status }) => `  ${type} ${JSON.stringify(payload)} (${status})`)
  const list = lines.length > 0 ? `Dispatched were:\n${lines.join('\n')}` : 'Nothing was dispatched.'
  return new AssertionError({ message: `expected ${expected}. ${list}` })
}
