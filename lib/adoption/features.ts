/** Switches for moving work to the queue step by step. */
import { peekConfig } from '../config/effective.js'

/** Which parts of an application use the queue. Each counts only while `enabled` is on. */
export interface FeatureFlags {
  /** `SYMPHONY_ENABLED`, or `features.enabled`. */
  enabled: boolean
  /** `SYMPHONY_EMAIL_QUEUE_ENABLED`, or `features.emailQueue`. */
  emailQueue: boolean
  /** `SYMPHONY_CAMPAIGN_PROCESSING_ENABLED`, or `features.campaignProcessing`. */
  campaignProcessing: boolean
  /** `SYMPHONY_SMS_DRIP_ENABLED`, or `features.smsDrip`. */
  smsDrip: boolean
}

/** All switches. */
export function getFeatureFlags(): FeatureFlags {
  const { enabled, emailQueue, campaignProcessing, smsDrip } = peekConfig().features
  return {
    enabled,
    emailQueue: enabled && emailQueue,
    campaignProcessing: enabled && campaignProcessing,
    smsDrip: enabled && smsDrip,
  }
}

/** Whether the queue is switched on at all. */
export function isSymphonyEnabled(): boolean {
  return getFeatureFlags().enabled
}

/** Whether e-mails go through the queue. */
export function isEmailQueueEnabled(): boolean {
  return getFeatureFlags().emailQueue
}

/** Whether campaigns are processed by the queue. */
export function isCampaignProcessingEnabled(): boolean {
  return getFeatureFlags().campaignProcessing
}

/** Whether SMS drips go through the queue. */
export function isSmsDripEnabled(): boolean {
  return getFeatureFlags().smsDrip
}
