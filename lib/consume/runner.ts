/**
 * Runs what a consumer claimed: takes batches from the core, starts handlers as slots come free, hands the outcomes
 * back. One text per batch comes down (a claim, or a part of one) and one text per turn of the event loop goes
 * up; nothing crosses per message.
 */

import { Bag } from '../base/bag.js'
import { DeliveryContext } from '../handlers/context.js'
import type { Delivery, DeliveryBatch, Settlement, SettlementLine } from '../handlers/delivery.js'
import { type Execution, execute } from '../handlers/executor.js'
import type { HandlerRegistry } from '../handlers/registry.js'
import { isStrict } from '../handlers/returned.js'
import { failedBy, wellFormed } from '../handlers/settlement.js'
import { isPromise } from '../message/schema.js'
import { handlerSpans, type InHandlerSpan } from '../tracing/spans.js'
import { type BuriedMessage, logBurial, logOutcome, type MessageLog } from './message-log.js'
import type { Run } from './run.js'

/** How a runner works. */
export interface RunnerOptions extends MessageLog {
  /** Where the handlers are. */
  registry: HandlerRegistry
  /** Handlers running at a time. */
  maxConcurrency: number
  /** Limit for a handler without one of its own, in milliseconds; 0: none. */
  handlerTimeout: number
  /** When the drain ends, in milliseconds since the epoch; `null`: open. */
  deadline: number | null
  /** Told of a message that was claimed and has no handler. */
  unknown: (delivery: Delivery) => void
  /** Takes outcomes, as JSON; with `more`, others of the same turn of the event loop follow. */
  settle: (lines: string, more: boolean) => void
  /** Called after outcomes were handed over. */
  afterSettle?: () => void
}

type Command = ({ do: 'deliver' } & DeliveryBatch) | { do: 'return' } | Abort | Buried

/** For all messages, or for those named by batch and index, which other workers already have. */
interface Abort {
  do: 'abort'
  reason: string
  messages?: [batch: number, index: number][]
}

/** Messages that this consumer found held by dead processes once too often, of any transport of its stores. */
interface Buried {
  do: 'buried'
  messages: BuriedMessage[]
}

/** A batch with the index of its next message to start. */
interface Waiting extends DeliveryBatch {
  next: number
  /** Indexes of messages that must not be started any more. */
  dropped?: Set<number>
}

/** A type without a handler waits a minute before anyone checks it again: another deployment may know it. */
const UNKNOWN_TYPE: Settlement = { as: 'released', delay: 60_000 }
const RELEASED: Settlement = { as: 'released' }

/** Handed back in the middle: what some handlers have already done is not repeated. */
const released = (handled: string[]): Settlement => ({ as: 'released', handled })

/**
 * How many outcomes are handed over together. Those of a whole claim outlive a garbage collection, and V8 keeps the room
 * that it made for them: `docs/performance-tuning.md` has the figures.
 */
const PART = 100

/** Runs the messages of one consumer. */
export class Runner {
  readonly #options: RunnerOptions
  readonly #strict = isStrict()
  readonly #running = new Bag<Run>()
  #waiting: Waiting[] = []
  #lines: SettlementLine[] = []
  #flushing = false
  #inSpan: InHandlerSpan = handlerSpans()

  constructor(options: RunnerOptions) {
    this.#options = options
  }

  /** Does what the core asks. Never throws: the core could do nothing about it. */
  receive(command: string): void {
    try {
      this.#obey(JSON.parse(command) as Command)
    } catch (error) {
      this.#options.log.current.error('a command of the core could not be carried out', { error })
    }
  }

  /** Handlers running now. */
  get running(): number {
    return this.#running.size
  }

  /** The message that has run longest, if any runs. */
  longest(): { type: string; messageId: string; millis: number } | undefined {
    const [first, ...others] = this.#running.all()
    if (first === undefined) return undefined
    const { context, started } = others.reduce((oldest, run) => (run.started < oldest.started ? run : oldest), first)
    return { type: context.delivery.type, messageId: context.id, millis: performance.now() - started }
  }

  #obey(command: Command): void {
    if (command.do === 'deliver') {
      this.#inSpan = handlerSpans()
      this.#waiting.push({ batch: command.batch, messages: command.messages, next: 0 })
      this.#fill()
    } else if (command.do === 'return') {
      this.#returnWaiting()
    } else if (command.do === 'buried') {
      for (const message of command.messages) logBurial(this.#options, message)
    } else if (command.messages) {
      this.#lose(command.reason, command.messages)
    } else {
      this.#abort(command.reason)
    }
  }

  /** Starts messages in the order given while slots are free. */
  #fill(): void {
    while (this.#running.size < this.#options.maxConcurrency) {
      const batch = this.#waiting[0]
      const delivery = batch?.messages[batch.next]
      if (batch === undefined) return
      if (delivery === undefined) {
        this.#waiting.shift()
        continue
      }
      const index = batch.next
      batch.next += 1
      if (!batch.dropped?.has(index)) this.#tryToStart(batch.batch, index, delivery)
    }
  }

  /** A message that cannot be started fails alone: those behind it are started all the same. */
  #tryToStart(batch: number, index: number, delivery: Delivery): void {
    try {
      this.#start(batch, index, delivery)
    } catch (error) {
      this.#settle([batch, index, 0, failedBy(error, [])])
    }
  }

  #start(batch: number, index: number, delivery: Delivery): void {
    if (!this.#options.registry.has(delivery.type)) {
      this.#settle([batch, index, 0, UNKNOWN_TYPE])
      this.#options.unknown(delivery)
      return
    }
    const context = new DeliveryContext(delivery, this.#options.deadline, this.#options.log)
    const run = { batch, index, context, started: performance.now(), recalled: false, place: -1 }
    this.#running.add(run)
    void this.#run(run)
  }

  /** A message whose handler promises nothing ends before this returns, and its slot is free for the next one. */
  async #run(run: Run): Promise<void> {
    const { registry, handlerTimeout } = this.#options
    const { context } = run
    let execution: Execution | Promise<Execution>
    let waited = false
    try {
      execution = this.#inSpan(context, () => execute(registry, context, handlerTimeout, this.#strict))
      if (isPromise(execution)) {
        waited = true
        execution = await execution
      }
    } catch (error) {
      // Tracing failed, not the handlers.
      execution = { settlement: failedBy(error, context.delivery.handled) }
    }
    this.#running.remove(run)
    this.#end(run, execution)
    if (waited) this.#fill()
  }

  #end({ batch, index, context, started, recalled }: Run, execution: Execution): void {
    const duration = performance.now() - started
    const settlement = execution.settlement && wellFormed(execution.settlement)
    // A failure after the signal is caused by the signal: the message goes back without using up an attempt.
    const outcome = recalled && settlement?.as === 'failed' ? released(settlement.handled) : settlement
    this.#settle(outcome === undefined ? [batch, index, duration] : [batch, index, duration, outcome])
    logOutcome(this.#options, context, duration, outcome)
  }

  #returnWaiting(): void {
    for (const { batch, messages, next, dropped } of this.#waiting) {
      for (let index = next; index < messages.length; index += 1) {
        if (!dropped?.has(index)) this.#settle([batch, index, 0, RELEASED])
      }
    }
    this.#waiting = []
  }

  /** Other workers have these: waiting ones are not started, running ones are aborted. The core has counted them. */
  #lose(reason: string, messages: [batch: number, index: number][]): void {
    const places = new Set(messages.map(([batch, index]) => `${batch} ${index}`))
    for (const waiting of this.#waiting) {
      for (let index = waiting.next; index < waiting.messages.length; index += 1) {
        if (!places.has(`${waiting.batch} ${index}`)) continue
        waiting.dropped ??= new Set()
        waiting.dropped.add(index)
        this.#settle([waiting.batch, index, 0, RELEASED])
      }
    }
    this.#recall(reason, (run) => places.has(`${run.batch} ${run.index}`))
  }

  /** Handlers that ignore their signal do not count: the core takes their messages back after a moment. */
  #abort(reason: string): void {
    this.#returnWaiting()
    this.#recall(reason, () => true)
  }

  #recall(reason: string, which: (run: Run) => boolean): void {
    const error = new DOMException(`the run was stopped: ${reason}`, 'AbortError')
    for (const run of this.#running.all()) {
      if (!which(run)) continue
      run.recalled = true
      run.context.abort(error)
    }
  }

  /** Outcomes of one turn of the event loop are settled together. */
  #settle(line: SettlementLine): void {
    this.#lines.push(line)
    if (this.#lines.length >= PART) this.#handOver(true)
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(this.#flush)
  }

  readonly #flush = (): void => {
    this.#flushing = false
    this.#handOver(false)
  }

  #handOver(more: boolean): void {
    const lines = this.#lines
    this.#lines = []
    this.#report(lines, more)
    if (!more) this.#options.afterSettle?.()
  }

  /** If the core refuses a text, each outcome is sent alone, and one that is refused alone becomes a failed run. */
  #report(lines: SettlementLine[], more: boolean): void {
    try {
      this.#options.settle(JSON.stringify(lines), more)
    } catch (error) {
      const [line] = lines
      if (line === undefined) return
      if (lines.length > 1) {
        for (const [place, each] of lines.entries()) this.#report([each], more || place < lines.length - 1)
      } else {
        this.#reportRefused(line, more, error)
      }
    }
  }

  #reportRefused([batch, index, duration]: SettlementLine, more: boolean, reason: unknown): void {
    const logger = this.#options.log.current
    logger.error('an outcome could not be handed over: its message counts as failed', { error: reason })
    try {
      this.#options.settle(JSON.stringify([[batch, index, duration, failedBy(reason, [])]]), more)
    } catch (error) {
      logger.error('an outcome could not be handed over: its message stays with this consumer', { error })
    }
  }
}
