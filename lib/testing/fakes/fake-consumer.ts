/** A consumer in JavaScript, for the unit tests beside the code. */

import type { NativeConsumer } from '../../core/native.js'
import type { Delivery, SettlementLine } from '../../handlers/delivery.js'

/** A consumer that a test drives. */
export class FakeConsumer implements NativeConsumer {
  // biome-ignore lint/suspicious/noExplicitAny: tests look into options of every shape.
  readonly options: any
  readonly lines: SettlementLine[] = []
  readonly settlements: SettlementLine[][] = []
  /** In how many calls they came. */
  parts = 0
  #unsettled: SettlementLine[] = []
  readonly stops: Array<[reason: string, force: boolean]> = []
  readonly types: unknown[] = []
  /** What {@link observeMessages} was called with. */
  readonly observing: boolean[] = []
  onSettle: () => void = () => undefined
  #deliver: (command: string) => void
  #observe: ((events: string) => void) | null
  #finish: (result: string) => void = () => undefined
  #fail: (error: Error) => void = () => undefined
  readonly #result = new Promise<string>((resolve, reject) => {
    this.#finish = resolve
    this.#fail = reject
  })

  constructor(options: string, deliver: (command: string) => void, observe: ((events: string) => void) | null) {
    this.options = JSON.parse(options)
    this.#deliver = deliver
    this.#observe = observe
  }

  run(): Promise<string> {
    return this.#result
  }

  settle(outcomes: string, more: boolean): void {
    const lines = JSON.parse(outcomes) as SettlementLine[]
    this.lines.push(...lines)
    this.parts += 1
    this.#unsettled.push(...lines)
    if (more) return
    this.settlements.push(this.#unsettled)
    this.#unsettled = []
    this.onSettle()
  }

  stop(reason: string, force: boolean): void {
    this.stops.push([reason, force])
  }

  observeMessages(wanted: boolean): void {
    this.observing.push(wanted)
  }

  setTypes(types: string): void {
    this.types.push(JSON.parse(types))
  }

  stats(): string {
    const none = { retried: 0, deadLettered: 0, released: 0, snoozed: 0, discarded: 0, lost: 0, inFlight: 0 }
    return JSON.stringify({ claimed: 4, succeeded: 4, ...none, runs: 4, handlerMillis: 10 })
  }

  deliver(batch: number, messages: Delivery[]): void {
    this.command({ do: 'deliver', batch, messages })
  }

  command(command: object): void {
    this.#deliver(JSON.stringify(command))
  }

  emit(...events: object[]): void {
    this.#observe?.(JSON.stringify(events))
  }

  finish(result: object = {}): void {
    this.#finish(JSON.stringify({ claimed: 0, drained: true, stoppedBy: 'empty', ...result }))
  }

  fail(error: Error): void {
    this.#fail(error)
  }
}

/** A message as the core delivers it. */
export function delivery(type: string, more: Partial<Delivery> = {}): Delivery {
  return {
    id: `id-of-${type}`,
    type,
    transport: 'supabase',
    queue: 'default',
    priority: 5,
    payload: {},
    headers: { 'message-type': type },
    metadata: {},
    createdAt: 1_000,
    availableAt: 2_000,
    scheduledAt: null,
    retryCount: 0,
    maxRetries: 3,
    idempotencyKey: null,
    handled: [],
    crashes: 0,
    ...more,
  }
}
