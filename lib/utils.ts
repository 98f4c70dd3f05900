/**
 * Helpers: `@leadmap/symphony/utils`. Ready-made messages, feature flags, middleware, cron expressions, messages as text,
 * loggers.
 */
export type { FallbackFlag } from './adoption/fallback.js'
export type { FeatureFlags } from './adoption/features.js'
export { createLogger, type Logger, type LoggerOptions } from './base/logger.js'
export {
  getFeatureFlags,
  getLogger,
  isFeatureEnabled,
  isSymphonyEnabled,
  withSymphonyFallback,
} from './default/functions.js'
export { type Classification, classifyError } from './handlers/classification.js'
export {
  errorClassificationMiddleware,
  loggingMiddleware,
  type Measurement,
  type Middleware,
  performanceMiddleware,
  validationMiddleware,
} from './handlers/middleware.js'
export { deserializeMessage, serializeMessage } from './message/serialization.js'
export { validateMessage } from './message/validation.js'
export type { BuildOptions } from './presets/build.js'
export {
  buildCampaignMessage,
  type CampaignAction,
  type CampaignMessage,
  type CampaignMessageParams,
  type CampaignPayload,
  dispatchCampaignMessage,
} from './presets/campaign.js'
export {
  buildEmailMessage,
  dispatchEmailMessage,
  type EmailMessage,
  type EmailMessageParams,
  type EmailPayload,
} from './presets/email.js'
export {
  buildSMSMessage,
  dispatchSMSMessage,
  type SMSMessage,
  type SMSMessageParams,
  type SMSPayload,
} from './presets/sms.js'
export { type CronExpression, type NextRunsOptions, nextRuns, validateCron } from './schedules/cron.js'
