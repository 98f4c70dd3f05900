/**
 * For operators: messages, dead letters, queues, schedules, tables, health, figures, notifications:
 * `@leadmap/symphony/admin`.
 */

export type { Because } from './base/because.js'
export type { UnhandledMessages } from './consume/unhandled.js'
export {
  abortOperation,
  cancelMessage,
  cleanup,
  configureNotifications,
  countFailed,
  deleteSchedule,
  doctor,
  editMessage,
  getAuditEntry,
  getDepths,
  getDuplicateAttempts,
  getFailed,
  getHealth,
  getMessage,
  getMetrics,
  getSchedule,
  listAudit,
  listErrorGroups,
  listFailed,
  listMessages,
  listPauses,
  listRefusedKeys,
  listReleases,
  listSchedules,
  listWorkers,
  migrate,
  migrationStatus,
  pause,
  pauseSchedule,
  previewOperation,
  removeFailed,
  resume,
  resumeSchedule,
  retryFailed,
  rollback,
  runOperation,
  runScheduleNow,
  setErrorGroup,
  startOperation,
  stepOperation,
  stopWorkers,
  why,
} from './default/functions.js'
export type { QueueContents, QueueDepth } from './monitor/contents.js'
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
export type { CleanupResult } from './operate/cleanup.js'
export type { MessageContents, MessageOutline } from './operate/contents.js'
export type {
  FailedCount,
  FailedFilter,
  FailedMessage,
  FailedPage,
  FailedPageOptions,
  FailedRecord,
  ListedFailedMessage,
  RetriedMessage,
} from './operate/dead-letters.js'
export type { Edited, MessageChanges } from './operate/edit.js'
export type { FailedRun } from './operate/failed-run.js'
export type {
  DepthOptions,
  DepthPoint,
  ErrorGroup,
  ErrorGroupOptions,
  ErrorGroupState,
  RefusedKey,
  ReleaseInfo,
  WorkerInfo,
} from './operate/insights.js'
export type {
  Cancellation,
  ListedMessage,
  MessageFilter,
  MessagePage,
  MessagePageOptions,
  MessageRecord,
  MessageStatus,
  QueuedMessage,
} from './operate/messages.js'
export type { Migration, MigrationStatus } from './operate/migrations.js'
export type {
  AuditEntry,
  AuditOptions,
  AuditPage,
  LetterOperation,
  MessageOperation,
  OperationOptions,
  OperationPreview,
  OperationSample,
  RunOptions,
  StartOptions,
} from './operate/operations.js'
export type { Pause, PauseOptions, PauseScope } from './operate/pauses.js'
export type { StoppedWorkers, StoppingWorker, StopWorkersOptions } from './operate/stop-workers.js'
export type { Why, WhyReason } from './operate/why.js'
export type { Schedule, ScheduledMessage } from './schedules/types.js'
