/** A core in JavaScript, for the unit tests beside the code: it remembers what it was told and answers as it is told. */
import { merge } from '../../config/merge.js'
import type { EffectiveConfig } from '../../config/model.js'
import { type NativeCore, type NativeScheduleWatch, setNative } from '../../core/native.js'
import type { NativeFailure } from '../../core/native-error.js'
import type { NativeAnswer } from '../../dispatch/results.js'
import type { Delivery, SettlementLine } from '../../handlers/delivery.js'
import { FakeConsumer } from './fake-consumer.js'

export { delivery, FakeConsumer } from './fake-consumer.js'

const DEFAULTS: EffectiveConfig = {
  defaultTransport: 'supabase',
  defaultQueue: 'default',
  defaultPriority: 5,
  transports: { sync: { type: 'sync' }, supabase: { type: 'supabase' }, memory: { type: 'memory' } },
  routing: {},
  priorityRouting: [],
  retry: { default: { maxRetries: 10, delay: 1_000, multiplier: 2, maxDelay: 600_000, jitter: 0.1 } },
  worker: {
    batchSize: 10,
    maxConcurrency: 5,
    pollInterval: 1_000,
    lease: 30_000,
    maxCrashes: 3,
    handlerTimeout: 900_000,
    shutdownTimeout: 30_000,
  },
  deduplication: { window: 86_400_000 },
  retention: { completed: 86_400_000, failed: 2_592_000_000, metrics: 604_800_000, audit: 7_776_000_000 },
  health: {
    window: 300_000,
    minimumVolume: 20,
    warning: { queueDepth: 10_000, oldestAge: 300_000, errorRate: 0.1, deadLetters: 1 },
    error: { queueDepth: 100_000, oldestAge: 3_600_000, errorRate: 0.5, deadLetters: 1_000 },
  },
  circuitBreaker: {
    enabled: false,
    failureRate: 0.5,
    minimumVolume: 20,
    window: 60_000,
    coolDown: 30_000,
    types: {},
  },
  logging: { level: 'warn', targets: {}, format: 'auto' },
  payload: { maxBytes: 1_048_576, maxHeadersBytes: 65_536, maxMetadataBytes: 65_536 },
  database: { schema: 'symphony' },
  features: { enabled: false },
}

/** An error as the core throws it. */
export function nativeError(failure: NativeFailure): Error {
  return new Error(JSON.stringify({ symphony: failure }))
}

/** A request as it arrives at the core. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into requests of every shape.
export type Request = any

/** The core's answer to a request that went well. */
export function stored(request: Request, more: object = {}): NativeAnswer {
  const { transport = 'supabase', priority = 5, scheduledAt, idempotencyKey = 'generated' } = request.options ?? {}
  const ok = { messageId: `id-of-${request.type}`, status: 'queued' as const, queue: 'default', availableAt: 1_000 }
  return { ok: { ...ok, transport, priority, scheduledAt, idempotencyKey, ...more } }
}

/** The core. */
export class FakeCore implements NativeCore {
  // biome-ignore lint/suspicious/noExplicitAny: tests look into configurations of every shape.
  layers: any
  closed = false
  /** The texts that `dispatch` got. */
  readonly dispatched: string[] = []
  readonly consumers: FakeConsumer[] = []
  readonly inlineSettled: Array<[batch: number, lines: SettlementLine[]]> = []
  /** What the other calls got, by name. */
  readonly calls: Array<[name: string, argument: unknown]> = []
  /** What they answer, by name. */
  readonly answers: Record<string, unknown> = {}
  /** Answers a dispatch. */
  answer: (requests: Request[]) => NativeAnswer[] | Promise<NativeAnswer[]> = (requests) =>
    requests.map((request) => stored(request))
  /** From which level on log lines are wanted, each time that it was said. */
  readonly logLevels: string[] = []
  #inline: (batch: string) => void = () => undefined
  #write: (lines: string) => void = () => undefined

  constructor(layers: string) {
    this.configure(layers)
    fakes.push(this)
  }

  configure(layers: string): void {
    const next = JSON.parse(layers)
    const priority = { ...next.config, ...next.runtime }.defaultPriority ?? 5
    if (!Number.isInteger(priority) || priority < 1 || priority > 10) {
      const message = `defaultPriority: got ${priority}, wants a whole number from 1 to 10`
      throw nativeError({ class: 'ConfigurationError', code: 'SYMPHONY_INVALID_CONFIGURATION', message })
    }
    this.layers = next
  }

  onLog(write: (lines: string) => void): void {
    this.#write = write
  }

  logAt(level: string): void {
    this.logLevels.push(level)
  }

  /** Writes log lines, as the core does. */
  log(...lines: object[]): void {
    this.#write(JSON.stringify(lines))
  }

  config(): string {
    const merged = merge<object>(merge<object>(DEFAULTS, this.layers.config), this.layers.runtime)
    return JSON.stringify(merged)
  }

  transportsFor(type: string, priority: number | null): string[] {
    this.calls.push(['transportsFor', [type, priority]])
    return ['supabase']
  }

  transportNamed(name: string): string {
    return name === 'default' ? JSON.parse(this.config()).defaultTransport : name
  }

  async dispatch(text: string): Promise<string> {
    this.dispatched.push(text)
    const parsed = JSON.parse(text)
    return JSON.stringify(await this.answer(Array.isArray(parsed) ? parsed : parsed.requests))
  }

  onInline(deliver: (batch: string) => void): void {
    this.#inline = deliver
  }

  deliverInline(batch: number, messages: Delivery[]): void {
    this.#inline(JSON.stringify({ batch, messages }))
  }

  settleInline(batch: number, outcomes: string): void {
    this.inlineSettled.push([batch, JSON.parse(outcomes)])
  }

  consumer(
    options: string,
    deliver: (command: string) => void,
    observe: ((events: string) => void) | null,
  ): FakeConsumer {
    const consumer = new FakeConsumer(options, deliver, observe)
    this.consumers.push(consumer)
    return consumer
  }

  migrate = (options: string): Promise<string> => this.#reply('migrate', options)
  rollback = (options: string): Promise<string> => this.#reply('rollback', options)
  migrationStatus = (): Promise<string> => this.#reply('migrationStatus', 'null')
  listFailed = (filter: string): Promise<string> => this.#reply('listFailed', filter)
  getFailed = (id: string): Promise<string> => this.#reply('getFailed', JSON.stringify(id))
  countFailed = (filter: string): Promise<string> => this.#reply('countFailed', filter)
  listMessages = (filter: string): Promise<string> => this.#reply('listMessages', filter)
  getMessage = (id: string): Promise<string> => this.#reply('getMessage', id)
  cancelMessage = (id: string): Promise<string> => this.#reply('cancelMessage', id)
  editMessage = (id: string): Promise<string> => this.#reply('editMessage', JSON.stringify(id))
  stopWorkers = (options: string): Promise<string> => this.#reply('stopWorkers', options)
  stoppingWorkers = (ids: string): Promise<string> => this.#reply('stoppingWorkers', ids)
  why = (id: string): Promise<string> => this.#reply('why', JSON.stringify(id))
  previewOperation = (asked: string): Promise<string> => this.#reply('previewOperation', asked)
  startOperation = (asked: string): Promise<string> => this.#reply('startOperation', asked)
  stepOperation = (id: string): Promise<string> => this.#reply('stepOperation', JSON.stringify(id))
  abortOperation = (id: string): Promise<string> => this.#reply('abortOperation', JSON.stringify(id))
  getAudit = (id: string): Promise<string> => this.#reply('getAudit', JSON.stringify(id))
  listAudit = (filter: string): Promise<string> => this.#reply('listAudit', filter)
  pause = (options: string): Promise<string> => this.#reply('pause', options)
  resume = (options: string): Promise<string> => this.#reply('resume', options)
  pauses = (): Promise<string> => this.#reply('pauses', 'null')
  totals = (options: string): Promise<string> => this.#reply('totals', options)
  beginExecution = (execution: string): Promise<string> => this.#reply('beginExecution', execution)
  endExecution = async (execution: string): Promise<boolean> => JSON.parse(await this.#reply('endExecution', execution))
  retryFailed = (filter: string): Promise<string> => this.#reply('retryFailed', filter)
  removeFailed = (filter: string): Promise<string> => this.#reply('removeFailed', filter)
  depth = (options: string): Promise<string> => this.#reply('depth', options)
  unhandled = (options: string): Promise<string> => this.#reply('unhandled', options)
  cleanup = (options: string): Promise<string> => this.#reply('cleanup', options)
  doctor = (options: string): Promise<string> => this.#reply('doctor', options)
  schedule = (definition: string): Promise<string> => this.#reply('schedule', definition)
  defineSchedules = (schedules: string): Promise<string> => this.#reply('defineSchedules', schedules)
  listSchedules = (options: string): Promise<string> => this.#reply('listSchedules', options)
  getSchedule = (name: string): Promise<string> => this.#reply('getSchedule', JSON.stringify(name))
  switchSchedule = (name: string): Promise<string> => this.#reply('switchSchedule', JSON.stringify(name))
  runScheduleNow = (name: string): Promise<string> => this.#reply('runScheduleNow', JSON.stringify(name))
  runDueSchedules = (options: string): Promise<string> => this.#reply('runDueSchedules', options)

  async deleteSchedule(name: string): Promise<boolean> {
    this.calls.push(['deleteSchedule', name])
    return true
  }

  async watchSchedules(): Promise<NativeScheduleWatch> {
    return { stop: () => undefined }
  }
  metrics = (window: string): Promise<string> => this.#reply('metrics', window)
  workers = (): Promise<string> => this.#reply('workers', 'null')
  depths = (window: string): Promise<string> => this.#reply('depths', window)
  errorGroups = (filter: string): Promise<string> => this.#reply('errorGroups', filter)
  judgeErrorGroup = (judgement: string): Promise<string> => this.#reply('judgeErrorGroup', judgement)
  refusedKeys = (options: string): Promise<string> => this.#reply('refusedKeys', options)
  releases = (): Promise<string> => this.#reply('releases', 'null')
  everCounted = (): Promise<string> => this.#reply('everCounted', 'null')
  health = (options: string): Promise<string> => this.#reply('health', options)
  admitNotification = (admission: string): Promise<string> => this.#reply('admitNotification', admission)

  async duplicateAttempts(key: string): Promise<number> {
    this.calls.push(['duplicateAttempts', key])
    return 99
  }

  memory(transport: string, command: string): string {
    const what = JSON.parse(command)
    this.calls.push([`memory ${transport}`, what])
    return JSON.stringify(this.answers[`memory ${what.do}`] ?? 0)
  }

  async close(): Promise<void> {
    this.closed = true
  }

  async #reply(name: string, argument: string): Promise<string> {
    this.calls.push([name, JSON.parse(argument)])
    const answer = this.answers[name] ?? null
    if (answer instanceof Error) throw answer
    return JSON.stringify(answer)
  }
}

/** All cores since the last {@link freshProcess}. */
export const fakes: FakeCore[] = []

/** Forgets everything that belongs to the process and replaces the addon with the fake. */
export function freshProcess(): void {
  delete (globalThis as Record<symbol, unknown>)[Symbol.for('leadmap.symphony')]
  fakes.length = 0
  setNative({
    Core: FakeCore,
    nextRuns: () => '[]',
    validateCron: () => '{}',
    placesInQuery: () => '[]',
    configurationKeys: () => '[]',
    retryDelay: (strategy, count) => ({ delay: 1_000, ...JSON.parse(strategy) }).delay * 2 ** count,
  })
}

/** The core in use. */
export function theCore(): FakeCore {
  const core = fakes.at(-1)
  if (core === undefined) throw new Error('nothing has made a core yet')
  return core
}

/** Lets promises and one turn of the event loop pass. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
}
