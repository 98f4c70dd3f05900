/**
 * Symphony: a message queue for Node.js and Next.js on Postgres.
 *
 * {@link dispatch} stores a message, {@link registerHandler} says who handles it, {@link consumeBatch} handles what waits.
 */
import './symphony.js'

export {
  type Cancellation,
  cancelMessage,
  getMessage,
  getStats,
  listMessages,
  type MessageFilter,
  type MessagePage,
  type MessagePageOptions,
  type MessageStatus,
  type QueuedMessage,
  type QueueStats,
} from './admin.js'
export type { ConfigListener } from './config/change.js'
export * from './config.js'
export { consumeBatch } from './consume.js'
export type { ConsumeOptions } from './consume-options.js'
export type { ConsumeResult, ConsumerCounters, StoppedBy } from './consumption.js'
export { type DefinedMessage, defineMessage, type MessageDefinition, type MessageOf } from './define-message.js'
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
} from './dispatch-types.js'
export {
  dispatch,
  dispatchBatch,
  dispatchToTransports,
  getDispatcher,
  getDuplicateAttempts,
  registerTransport,
  SymphonyDispatcher,
  setDispatcher,
} from './dispatcher.js'
export { type Diagnosis, doctor, type Finding } from './doctor.js'
export {
  type ErrorOptions,
  HandlerError,
  HandlerTimeoutError,
  LockError,
  MessageValidationError,
  SchedulerError,
  SerializationError,
  SymphonyError,
  TransportError,
  type ValidationIssue,
} from './errors.js'
export {
  countFailed,
  type FailedCount,
  type FailedFilter,
  type FailedMessage,
  type FailedPage,
  type FailedPageOptions,
  getFailed,
  listFailed,
  type RetriedMessage,
  removeFailed,
  retryFailed,
} from './failed.js'
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
export { getRegistry, HandlerRegistry, registerHandler, type Unregister } from './handlers/registry.js'
export type {
  ErrorVerdict,
  HandlerContext,
  HandlerFunction,
  HandlerOptions,
  MessageEnvelope,
  MessageHandler,
} from './handlers/types.js'
export type { Health, HealthCheck, HealthStatus } from './health/model.js'
export { getHealth } from './health.js'
export {
  createLogger,
  getLogger,
  type LogFields,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  setLogger,
} from './logger.js'
export type {
  Message,
  MessageHeaders,
  MessageInput,
  MessageMetadata,
  MessageShape,
  UntypedMessage,
} from './message.js'
export {
  getMetrics,
  type MetricErrors,
  type MetricFigures,
  type Metrics,
  type MetricsOptions,
} from './metrics.js'
export { type Migration, type MigrationStatus, migrate, migrationStatus, rollback } from './migrations.js'
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
export { configureNotifications } from './notifications/notifier.js'
export { prometheusMetrics } from './prometheus.js'
export {
  type CleanupResult,
  cleanup,
  close,
  type QueueDepth,
  queueDepth,
  type UnhandledMessages,
  unhandledMessages,
} from './queue.js'
export { retryDelay } from './retry.js'
export { type CronExpression, type NextRunsOptions, nextRuns, validateCron } from './scheduler/cron.js'
export { Scheduler, type SchedulerEvents, type SchedulerOptions } from './scheduler/scheduler.js'
export {
  defineSchedules,
  deleteSchedule,
  getSchedule,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
  runDueSchedules,
  runScheduleNow,
  type ScheduleDefinition,
  schedule,
} from './scheduler/schedules.js'
export type {
  RunDueOptions,
  RunDueResult,
  Schedule,
  ScheduleConfig,
  ScheduledMessage,
  ScheduleInstant,
  ScheduleOptions,
  ScheduleTiming,
} from './scheduler/types.js'
export { deserializeMessage, serializeMessage } from './serialization.js'
export type { SchemaInput, SchemaOutput, StandardSchema } from './standard-schema.js'
export { type TraceCarrier, type TraceContext, withTraceContext } from './tracing/trace-context.js'
export { validateMessage } from './validation.js'
export { Worker } from './worker.js'
export type { CircuitEvent, MessageEvent, WorkerEvents } from './worker-events.js'
export type { WorkerHealth, WorkerOptions, WorkerState, WorkerStats } from './worker-types.js'
