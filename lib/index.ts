/**
 * Symphony: a message queue for Node.js and Next.js on Postgres.
 *
 * {@link dispatch} stores a message, {@link registerHandler} says what handles it, {@link consumeBatch} handles what
 * waits.
 */

export {
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
export { createLogger, type LogFields, type Logger, type LoggerOptions, type LogLevel } from './base/logger.js'
export type { ConfigListener } from './config/configuration.js'
export { retryDelay } from './config/retry-delay.js'
export * from './config.js'
export type { ConsumeResult, ConsumerCounters, StoppedBy } from './consume/consumer.js'
export type { CircuitEvent, MessageEvent, WorkerEvents } from './consume/events.js'
export type { ConsumeOptions } from './consume/options.js'
export type { UnhandledMessages } from './consume/unhandled.js'
export type { WorkerHealth, WorkerOptions, WorkerState, WorkerStats } from './consume/worker-model.js'
export { Scheduler, SymphonyDispatcher, Worker } from './default/classes.js'
export { createSymphony, type SymphonyOptions } from './default/create.js'
export {
  cancelMessage,
  cleanup,
  close,
  configureNotifications,
  consumeBatch,
  countFailed,
  defineSchedules,
  deleteSchedule,
  dispatch,
  dispatchBatch,
  dispatchToTransports,
  doctor,
  getDispatcher,
  getDuplicateAttempts,
  getFailed,
  getHealth,
  getLogger,
  getMessage,
  getMetrics,
  getRegistry,
  getSchedule,
  getStats,
  listFailed,
  listMessages,
  listSchedules,
  migrate,
  migrationStatus,
  pauseSchedule,
  prometheusMetrics,
  queueDepth,
  registerHandler,
  registerTransport,
  removeFailed,
  resumeSchedule,
  retryFailed,
  rollback,
  runDueSchedules,
  runScheduleNow,
  schedule,
  setDispatcher,
  setLogger,
  unhandledMessages,
} from './default/functions.js'
export type {
  BatchItem,
  BatchOptions,
  BatchResult,
  Dispatcher,
  DispatchOptions,
  DispatchResult,
  DispatchStatus,
  FailedTransport,
  StoredMessage,
  TransportResult,
} from './dispatch/types.js'
export { type Classification, classifyError } from './handlers/classification.js'
export type { HandlerEntry } from './handlers/entry.js'
export {
  errorClassificationMiddleware,
  loggingMiddleware,
  type Measurement,
  type Middleware,
  type Next,
  performanceMiddleware,
  validationMiddleware,
} from './handlers/middleware.js'
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
export { type DefinedMessage, defineMessage, type MessageDefinition, type MessageOf } from './message/define.js'
export type {
  Message,
  MessageHeaders,
  MessageInput,
  MessageMetadata,
  MessageShape,
  UntypedMessage,
} from './message/message.js'
export { deserializeMessage, serializeMessage } from './message/serialization.js'
export type { SchemaInput, SchemaOutput, StandardSchema } from './message/standard-schema.js'
export { validateMessage } from './message/validation.js'
export type { Diagnosis } from './monitor/doctor.js'
export type { Finding, Severity } from './monitor/finding.js'
export type { Health } from './monitor/health.js'
export type { MetricErrors, MetricFigures, Metrics, MetricsOptions } from './monitor/metrics.js'
export {
  emailChannel,
  logChannel,
  slackChannel,
  type WebhookOptions,
  webhookChannel,
} from './notifications/channels.js'
export type {
  Notification,
  NotificationChannel,
  NotificationOptions,
  NotificationSeverity,
} from './notifications/model.js'
export type {
  FailedCount,
  FailedFilter,
  FailedMessage,
  FailedPage,
  FailedPageOptions,
  RetriedMessage,
} from './operate/dead-letters.js'
export type {
  Cancellation,
  MessageFilter,
  MessagePage,
  MessagePageOptions,
  MessageStatus,
  QueuedMessage,
  QueueStats,
} from './operate/messages.js'
export type { Migration, MigrationStatus } from './operate/migrations.js'
export type { CleanupResult, QueueDepth } from './operate/queues.js'
export { type CronExpression, type NextRunsOptions, nextRuns, validateCron } from './schedules/cron.js'
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
