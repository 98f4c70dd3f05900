/**
 * Warnings about messages that wait for a handler which nobody has: a misspelt type waits for ever, and without a word.
 *
 * A type has a handler elsewhere if a consumer anywhere has run one of its messages in the last minutes: consumers do
 * not tell the database what they handle, and the counts of the monitor say it of those that do.
 */
import type { Log } from '../base/logger.js'
import { didYouMean } from '../base/suggestions.js'
import type { Core } from '../core/core.js'
import type { HandlerRegistry } from '../handlers/registry.js'
import { type UnhandledMessages, unhandledBy } from './unhandled.js'

/** A type is named at most this often, in milliseconds. */
const EVERY_MS = 60_000
/** How far back a run counts as a sign of a handler. */
const RECENT_MINUTES = 5
/** Types that are remembered. Senders decide how many there are. */
const REMEMBERED = 1_000

/** The warnings of one instance. */
export class WaitingWarnings {
  readonly #core: Core
  readonly #log: Log
  readonly #warned = new Map<string, number>()

  constructor(core: Core, log: Log) {
    this.#core = core
    this.#log = log
  }

  /** Looks for messages that wait without a handler, and warns. Never rejects: others tell troubles of the database. */
  async look(registry: HandlerRegistry): Promise<void> {
    if (registry.types().length === 0) return
    await this.#warn(() => unhandledBy(this.#core, registry), registry)
  }

  /** Warns of a message that was claimed and has no handler: a pattern claims every type. Never rejects. */
  async found(type: string, transport: string, queue: string, registry: HandlerRegistry): Promise<void> {
    await this.#warn(async () => [{ type, transport, queue, count: 1 }], registry)
  }

  async #warn(ask: () => Promise<UnhandledMessages[]>, registry: HandlerRegistry): Promise<void> {
    try {
      const waiting = (await ask()).filter(({ type }) => this.#isDue(type))
      if (waiting.length === 0) return
      const run = await this.#runLately()
      for (const messages of waiting) {
        if (!run.has(messages.type) && this.#take(messages.type)) {
          this.#log.current.warn(sentence(messages, registry), { event: 'message.unhandled', ...messages })
        }
      }
    } catch {
      // The consumer meets the same trouble, and tells of it.
    }
  }

  async #runLately(): Promise<Set<string>> {
    const window = JSON.stringify({ minutes: RECENT_MINUTES })
    const { byMessageType } = await this.#core.ask<Counted>((it) => it.metrics(window))
    return new Set(
      Object.entries(byMessageType).flatMap(([type, { totalProcessed }]) => (totalProcessed > 0 ? [type] : [])),
    )
  }

  #isDue(type: string): boolean {
    return performance.now() - (this.#warned.get(type) ?? Number.NEGATIVE_INFINITY) >= EVERY_MS
  }

  /** Whether it is this caller's turn to name the type: consumers of one process look at the same time. */
  #take(type: string): boolean {
    if (!this.#isDue(type)) return false
    if (this.#warned.size >= REMEMBERED) this.#warned.clear()
    this.#warned.set(type, performance.now())
    return true
  }
}

interface Counted {
  byMessageType: Record<string, { totalProcessed: number }>
}

function sentence({ type, transport, queue, count }: UnhandledMessages, registry: HandlerRegistry): string {
  const what = count === 1 ? `a message of type ${type} waits` : `${count} messages of type ${type} wait`
  return (
    `${what} in ${transport}, queue ${queue}, without a handler: none is registered here, and no consumer has run one in ` +
    `the last ${RECENT_MINUTES} minutes${didYouMean(registry.types(), type)}`
  )
}
