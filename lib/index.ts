/**
 * Symphony: a message queue for Node.js and Next.js on Postgres.
 *
 * {@link dispatch} stores a message, {@link registerHandler} says what handles it, {@link consumeBatch} handles what
 * waits.
 */
import './symphony.js'

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
} from './base/errors.js'
export {
  createLogger,
  getLogger,
  type LogFields,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  setLogger,
} from './base/logger.js'
export type { ConfigListener } from './config/change.js'
export { retryDelay } from './config/retry-delay.js'
export * from './config.js'
export { consumeBatch } from './consume/consume.js'
export type { ConsumeResult, ConsumerCounters, StoppedBy } from './consume/consumer.js'
export type { CircuitEvent, MessageEvent, WorkerEvents } from './consume/events.js'
export type { ConsumeOptions } from './consume/options.js'
export { Worker } from './consume/worker.js'
export type { WorkerHealth, WorkerOptions, WorkerState, WorkerStats } from './consume/worker-model.js'
export {
  dispatch,
  dispatchBatch,
  dispatchToTransports,
  getDispatcher,
  getDuplicateAttempts,
  registerTransport,
  SymphonyDispatcher,
  setDispatcher,
} from './dispatch/dispatcher.js'
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
export { getRegistry, HandlerRegistry, registerHandler, type Unregister } from './handlers/registry.js'
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
export { type Diagnosis, doctor, type Finding } from './monitor/doctor.js'
export { getHealth } from './monitor/health.js'
export type { Health, HealthCheck, HealthStatus } from './monitor/health-model.js'
export {
  getMetrics,
  type MetricErrors,
  type MetricFigures,
  type Metrics,
  type MetricsOptions,
} from './monitor/metrics.js'
export { prometheusMetrics } from './monitor/prometheus.js'
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
} from './operate/dead-letters.js'
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
} from './operate/messages.js'
export { type Migration, type MigrationStatus, migrate, migrationStatus, rollback } from './operate/migrations.js'
export {
  type CleanupResult,
  cleanup,
  close,
  type QueueDepth,
  queueDepth,
  type UnhandledMessages,
  unhandledMessages,
} from './operate/queues.js'
export { type CronExpression, type NextRunsOptions, nextRuns, validateCron } from './schedules/cron.js'
export { Scheduler, type SchedulerEvents, type SchedulerOptions } from './schedules/scheduler.js'
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
} from './schedules/schedules.js'
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
export { type TraceCarrier, type TraceContext, withTraceContext } from './tracing/trace-context.js'
