/**
 * The native addon: its types, and the one place that loads it.
 *
 * All strings that cross are JSON unless a comment says otherwise.
 */
import { SymphonyError } from '../base/errors.js'

/** The core of one process: configuration, transports, connections. */
export interface NativeCore {
  configure(layers: string): void
  config(): string
  /** Sets the function that takes log lines. It must not throw. */
  onLog(write: (lines: string) => void): void
  /** From which level on log lines are wanted, a plain string. */
  logAt(level: string): void
  /** Type and names are plain strings. */
  transportsFor(type: string, priority: number | null): string[]
  /** Names are plain strings. */
  transportNamed(name: string): string
  dispatch(requests: string): Promise<string>
  onInline(deliver: (batch: string) => void): void
  settleInline(batch: number, outcomes: string): void
  consumer(
    options: string,
    deliver: (command: string) => void,
    observe: ((events: string) => void) | null,
  ): NativeConsumer
  migrate(options: string): Promise<string>
  rollback(options: string): Promise<string>
  migrationStatus(): Promise<string>
  listFailed(filter: string): Promise<string>
  /** The id is a plain string. */
  getFailed(id: string): Promise<string>
  countFailed(filter: string): Promise<string>
  retryFailed(filter: string): Promise<string>
  removeFailed(filter: string): Promise<string>
  listMessages(filter: string): Promise<string>
  /** The id is a plain string. */
  getMessage(id: string): Promise<string>
  /** The id is a plain string. */
  cancelMessage(id: string, because: string): Promise<string>
  /** The id is a plain string. */
  editMessage(id: string, changes: string, because: string): Promise<string>
  stopWorkers(options: string): Promise<string>
  stoppingWorkers(ids: string): Promise<string>
  /** The id is a plain string. */
  why(id: string, options: string): Promise<string>
  previewOperation(asked: string): Promise<string>
  startOperation(asked: string): Promise<string>
  /** The id is a plain string. */
  stepOperation(id: string, limit: number): Promise<string>
  /** The id is a plain string. */
  abortOperation(id: string): Promise<string>
  /** The id is a plain string. */
  getAudit(id: string): Promise<string>
  listAudit(filter: string): Promise<string>
  pause(options: string): Promise<string>
  resume(options: string): Promise<string>
  pauses(): Promise<string>
  workers(): Promise<string>
  /** Names of transports and queues are plain strings. */
  depths(window: string, transport: string | undefined, queue: string): Promise<string>
  errorGroups(filter: string): Promise<string>
  judgeErrorGroup(judgement: string): Promise<string>
  refusedKeys(options: string): Promise<string>
  releases(): Promise<string>
  totals(options: string): Promise<string>
  beginExecution(execution: string): Promise<string>
  /** Whether the run with this token still counted. */
  endExecution(execution: string, token: number, done: boolean): Promise<boolean>
  /** The key is a plain string. */
  duplicateAttempts(key: string): Promise<number>
  depth(options: string): Promise<string>
  unhandled(options: string): Promise<string>
  cleanup(options: string): Promise<string>
  doctor(options: string): Promise<string>
  /** The name of the transport is a plain string. */
  metrics(window: string, transport?: string): Promise<string>
  health(options: string): Promise<string>
  everCounted(): Promise<string>
  admitNotification(admission: string): Promise<string>
  /** The name of the transport is a plain string. */
  memory(transport: string, command: string): string
  schedule(definition: string): Promise<string>
  defineSchedules(schedules: string): Promise<string>
  listSchedules(options: string): Promise<string>
  /** Names of schedules are plain strings. */
  getSchedule(name: string): Promise<string>
  switchSchedule(name: string, enabled: boolean, because: string): Promise<string>
  runScheduleNow(name: string, because: string): Promise<string>
  deleteSchedule(name: string, because: string): Promise<boolean>
  runDueSchedules(options: string): Promise<string>
  watchSchedules(changed: (nothing: string) => void): Promise<NativeScheduleWatch>
  close(): Promise<void>
}

/** A watch on changes of schedules. */
export interface NativeScheduleWatch {
  stop(): void
}

/** One drain, or one long-lived worker. */
export interface NativeConsumer {
  run(): Promise<string>
  /** With `more`, outcomes wait for those of the next call. */
  settle(outcomes: string, more: boolean): void
  /** The reason is a plain string. */
  stop(reason: string, force: boolean): void
  setTypes(types: string): void
  observeMessages(wanted: boolean): void
  stats(): string
}

/** What the addon exports. */
export interface NativeBinding {
  Core: new (layers: string) => NativeCore
  retryDelay(strategy: string, retryCount: number): number
  /** Every key with its default, bounds and environment variable. */
  configurationKeys(): string
  /** What a query reads, as paths of keys. The query is a plain string. */
  placesInQuery(query: string, letters: boolean): string
  /** The expression is a plain string. */
  nextRuns(expression: string, question: string): string
  /** The expression is a plain string. */
  validateCron(expression: string): string
}

let binding: NativeBinding | undefined

/**
 * The addon, loaded at first use: importing the package opens nothing and cannot fail.
 *
 * @throws SymphonyError `SYMPHONY_UNSUPPORTED_PLATFORM` if no binary exists or none was installed,
 * `SYMPHONY_EDGE_RUNTIME` on the Edge runtime, which cannot load any.
 */
export function native(): NativeBinding {
  binding ??= load()
  return binding
}

/** Replaces the binding, for the unit tests beside the code. */
export function setNative(other: NativeBinding | undefined): void {
  binding = other
}

function load(): NativeBinding {
  refuseEdgeRuntime()
  try {
    // A literal `require`, nothing cleverer: the bundler keeps it in the CommonJS build and makes it a
    // `createRequire(import.meta.url)` in the ESM build. @vercel/nft follows both to the binary, so that standalone
    // output contains it; with `createRequire` written here it loses the CommonJS one. Being a call, it runs late,
    // so that the error below is ours.
    return require('../../binding.js') as NativeBinding
  } catch (cause) {
    throw unsupported(cause)
  }
}

function refuseEdgeRuntime(): void {
  const edge = 'EdgeRuntime' in globalThis || process.env.NEXT_RUNTIME === 'edge'
  if (!edge) return
  throw new SymphonyError(
    'SYMPHONY_EDGE_RUNTIME',
    "@leadmap/symphony is a native addon and cannot run on the Edge runtime: remove `export const runtime = 'edge'` " +
      'from the route that imports it',
  )
}

const PLATFORMS = 'Linux x64 and arm64 (glibc and musl), macOS x64 and arm64, Windows x64'

const BUNDLED =
  '@leadmap/symphony is in a bundle, without its binary. Keep it outside: withSymphony() in the configuration of ' +
  "Next.js, `traceDeps: ['@leadmap/symphony']` in that of Nitro 3, under `dependencies` and not " +
  '`devDependencies` for SvelteKit, `external` for other bundlers'

function unsupported(cause: unknown): SymphonyError {
  const here = `${process.platform} ${process.arch}`
  const reason = (cause instanceof Error ? cause.message.split('\n')[0] : String(cause)) ?? ''
  const problem = /Cannot find module '\S*binding\.js'/.test(reason)
    ? BUNDLED
    : `@leadmap/symphony has no binary for ${here} here. Platforms that exist: ${PLATFORMS}. On one of these, install ` +
      'again with optional dependencies and for the platform that runs the code'
  return new SymphonyError('SYMPHONY_UNSUPPORTED_PLATFORM', `${problem}. Loading said: ${reason}`, {
    cause,
    details: { platform: process.platform, arch: process.arch, node: process.version },
  })
}
