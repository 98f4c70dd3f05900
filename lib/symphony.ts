/** The composition root: the only file that puts the parts of an instance together. */
import { type FallbackFunctions, fallbackFunctions } from './adoption/fallback.js'
import { type FeatureFunctions, featureFunctions } from './adoption/features.js'
import { type Log, type LogFunctions, logFunctions } from './base/logger.js'
import { Configuration } from './config/configuration.js'
import { type ConfigurationFunctions, configurationFunctions } from './config/functions.js'
import { Layers } from './config/layers.js'
import type { SymphonyConfig } from './config/model.js'
import type { ConsumerParts } from './consume/consumer.js'
import { type ConsumeFunctions, consumeFunctions } from './consume/functions.js'
import { WaitingWarnings } from './consume/waiting.js'
import { Core } from './core/core.js'
import { connectLog } from './core/log-lines.js'
import { type NativeCore, native } from './core/native.js'
import { awaitNative, callNative } from './core/native-error.js'
import { CoreDispatcher, type DispatcherParts, GroupCommits } from './dispatch/dispatcher.js'
import { type DispatchFunctions, dispatchFunctions } from './dispatch/functions.js'
import { InlineErrors } from './dispatch/inline-errors.js'
import { Watchers } from './dispatch/watcher.js'
import { connectInline } from './handlers/inline.js'
import { type HandlerFunctions, HandlerRegistry, handlerFunctions } from './handlers/registry.js'
import type { Messages } from './message/messages.js'
import { type DoctorFunctions, doctorFunctions } from './monitor/doctor.js'
import { type HealthFunctions, healthFunctions } from './monitor/health.js'
import { type MetricFunctions, metricFunctions } from './monitor/metrics.js'
import { type NotificationFunctions, Notifications } from './notifications/notifier.js'
import { type CleanupFunctions, cleanupFunctions } from './operate/cleanup.js'
import { type DeadLetterFunctions, deadLetterFunctions } from './operate/dead-letters.js'
import { type EditFunctions, editFunctions } from './operate/edit.js'
import { type InsightFunctions, insightFunctions } from './operate/insights.js'
import { type MessageFunctions, messageFunctions } from './operate/messages.js'
import { type MigrationFunctions, migrationFunctions } from './operate/migrations.js'
import { type OperationFunctions, operationFunctions } from './operate/operations.js'
import { type PauseFunctions, pauseFunctions } from './operate/pauses.js'
import { type StopWorkersFunctions, stopWorkersFunctions } from './operate/stop-workers.js'
import { type WhyFunctions, whyFunctions } from './operate/why.js'
import { type SchedulerFunctions, type SchedulerParts, schedulerFunctions } from './schedules/scheduler.js'
import { type ScheduleFunctions, scheduleFunctions } from './schedules/schedules.js'

/**
 * A queue with all that belongs to it: configuration, handlers, dispatcher, workers, schedules, dead letters, log.
 *
 * Its functions are those that the package exports; those work on the default instance. They may be taken out of it:
 * `const { dispatch, registerHandler } = createSymphony(…)`.
 *
 * `Types` are the messages that may be dispatched through it, see {@link Messages}.
 */
export interface Symphony<Types = Messages>
  extends CleanupFunctions,
    ConfigurationFunctions,
    ConsumeFunctions,
    DeadLetterFunctions,
    DispatchFunctions<Types>,
    DoctorFunctions,
    EditFunctions,
    FallbackFunctions,
    FeatureFunctions,
    HandlerFunctions<Types>,
    HealthFunctions,
    LogFunctions,
    InsightFunctions,
    MessageFunctions,
    MetricFunctions,
    MigrationFunctions,
    NotificationFunctions,
    OperationFunctions,
    PauseFunctions,
    ScheduleFunctions<Types>,
    SchedulerFunctions,
    StopWorkersFunctions,
    WhyFunctions {
  /** What it is called in log lines; `undefined`: it has no name there. */
  readonly name: string | undefined

  /**
   * Stops every worker, drain and scheduler of this instance in this thread as `stop()` would, and closes its
   * connections; those that other instances or threads of the process share stay open for them. A process can exit
   * without it; the next call opens new connections and rereads the environment. Do not call it in a handler: it would
   * wait for itself.
   */
  close(): Promise<void>

  /** `await using queue = createSymphony(…)` closes it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void>
}

/** An instance, whatever its messages are. */
// biome-ignore lint/suspicious/noExplicitAny: instances of different messages are assignable to nothing else.
export type AnySymphony = Symphony<any>

/** What an instance is made of, for the rooms above it. */
export interface Parts extends ConsumerParts, DispatcherParts, SchedulerParts {}

const PARTS = Symbol.for('leadmap.symphony.parts')

/** The parts of an instance, whichever copy of the package has made it. */
export function partsOf(symphony: AnySymphony): Parts {
  return (symphony as unknown as { [PARTS]: Parts })[PARTS]
}

/** What an instance begins with. */
export interface Beginning {
  name: string | undefined
  log: Log
  /** The configuration object of an instance of its own. */
  origin?: SymphonyConfig
}

/** Puts an instance together. Nothing is loaded and no connection opened until it is used. */
export function assemble({ name, log, origin }: Beginning): Symphony {
  const layers = new Layers(origin)
  const make = (): NativeCore => {
    layers.readEnvironment()
    const { Core } = native()
    return callNative(() => new Core(layers.asJson()))
  }
  const core = new Core(make, () => log.refreshLevel())
  const configuration = new Configuration(layers, core, log)
  const registry = new HandlerRegistry(log)
  const inlineErrors = new InlineErrors()
  const groupCommits = new GroupCommits()
  const failures = new Notifications(core, log)
  const watchers = new Watchers()
  const waiting = new WaitingWarnings(core, log)
  const parts: Parts = {
    core,
    configuration,
    registry,
    inlineErrors,
    groupCommits,
    failures,
    waiting,
    log,
    running: new Set(),
  }
  core.whenMade((made) => connectLog(made, log))
  core.whenMade((made) => connectInline(made, groupCommits.of(made), parts))

  const close = async (): Promise<void> => {
    await Promise.all([...parts.running].map((scheduler) => scheduler.stop()))
    const open = core.peek()
    core.forget()
    configuration.forget()
    if (open === undefined) return
    log.watchLevel(() => undefined)
    await awaitNative(() => open.close())
    open.logAt('silent')
  }
  const { configureNotifications } = failures
  const features = featureFunctions(configuration)
  const symphony: Symphony = {
    name,
    ...cleanupFunctions(core),
    ...configurationFunctions(configuration, core),
    ...consumeFunctions(parts),
    ...deadLetterFunctions(core),
    ...dispatchFunctions(new CoreDispatcher(parts), watchers, core),
    ...doctorFunctions(core, registry),
    ...fallbackFunctions({ features, watchers, log }),
    ...features,
    ...handlerFunctions(registry),
    ...healthFunctions(core, registry),
    ...logFunctions(log),
    ...insightFunctions(core),
    ...messageFunctions(core),
    ...editFunctions(core),
    ...metricFunctions(core),
    ...migrationFunctions(core),
    configureNotifications,
    ...operationFunctions(core),
    ...pauseFunctions(core),
    ...scheduleFunctions(parts),
    ...schedulerFunctions(parts),
    ...stopWorkersFunctions(core),
    ...whyFunctions(core, registry),
    close,
    [Symbol.asyncDispose]: close,
  }
  return Object.defineProperty(symphony, PARTS, { value: parts })
}
