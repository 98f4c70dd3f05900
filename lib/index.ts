/**
 * Symphony: a message queue for Node.js and Next.js on Postgres.
 *
 * {@link dispatch} stores a message, {@link registerHandler} says what handles it, {@link consumeBatch} handles what
 * waits. What operators need is in `/admin`, routes are in `/http` and `/next`, helpers in `/utils`.
 */
export type { Duration } from './base/duration.js'
export {
  ConfigurationError,
  type ErrorOptions,
  HandlerError,
  HandlerTimeoutError,
  MessageValidationError,
  SchedulerError,
  SerializationError,
  SymphonyError,
  TransportError,
  type ValidationIssue,
} from './base/errors.js'
export type { LogFields, Logger, LogLevel } from './base/logger.js'
export { validateConfig } from './config/functions.js'
export type * from './config/model.js'
export type { ConsumeResult, ConsumerCounters, StoppedBy } from './consume/consumer.js'
export type { CircuitEvent, MessageEvent, WorkerEvents } from './consume/events.js'
export type { ConsumeOptions } from './consume/options.js'
export type { UnhandledMessages } from './consume/unhandled.js'
export type { WorkerHealth, WorkerOptions, WorkerState, WorkerStats } from './consume/worker-model.js'
export { Scheduler, SymphonyDispatcher, Worker } from './default/classes.js'
export { createSymphony, type SymphonyOptions } from './default/create.js'
export {
  close,
  consumeBatch,
  defineSchedules,
  dispatch,
  dispatchBatch,
  dispatchToTransports,
  getConfig,
  getDispatcher,
  getRegistry,
  getRetryConfig,
  getTransportConfig,
  getTransportsForMessageType,
  migrate,
  registerHandler,
  registerTransport,
  resetConfig,
  runDueSchedules,
  schedule,
  setConfig,
  setDispatcher,
  setLogger,
} from './default/functions.js'
export type {
  BatchItem,
  BatchOptions,
  BatchResult,
  Dispatchable,
  Dispatcher,
  DispatchOptions,
  DispatchResult,
  DispatchStatus,
  FailedTransport,
  MessageInput,
  StoredMessage,
  TransportResult,
} from './dispatch/types.js'
export type { HandlerEntry } from './handlers/entry.js'
export type { Middleware, Next } from './handlers/middleware.js'
export { type Discard, discard, type HandlerOutcome, type Snooze, snooze } from './handlers/outcomes.js'
export { HandlerRegistry, type Unregister } from './handlers/registry.js'
export type {
  ErrorVerdict,
  HandlerContext,
  HandlerFunction,
  HandlerOptions,
  MessageEnvelope,
  MessageHandler,
} from './handlers/types.js'
export {
  type CreatedMessage,
  type DefinedMessage,
  defineMessage,
  type MessageDefinition,
  type MessageOf,
} from './message/define.js'
export type {
  Message,
  MessageHeaders,
  MessageMetadata,
  MessageParts,
  MessageShape,
  UntypedMessage,
} from './message/message.js'
export type { DeclaredMessage, Messages } from './message/messages.js'
export type { SchemaInput, SchemaOutput, StandardSchema } from './message/standard-schema.js'
export type { Migration } from './operate/migrations.js'
export type { SchedulerEvents, SchedulerOptions } from './schedules/scheduler.js'
export type { ScheduleDefinition } from './schedules/schedules.js'
export type {
  RunDueOptions,
  RunDueResult,
  Schedule,
  ScheduleConfig,
  ScheduledMessage,
  ScheduleInstant,
  ScheduleOptions,
  ScheduleTiming,
} from './schedules/types.js'
export type { Symphony } from './symphony.js'
export { type TraceCarrier, type TraceContext, withTraceContext } from './tracing/trace-context.js'
