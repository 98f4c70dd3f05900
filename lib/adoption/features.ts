/** Switches for moving work to the queue step by step. */
import type { Configuration } from '../config/configuration.js'

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

/** The switches of an instance. */
export interface FeatureFunctions {
  /** All switches. */
  getFeatureFlags(): FeatureFlags

  /** Whether the queue is switched on at all. */
  isSymphonyEnabled(): boolean

  /** Whether e-mails go through the queue. */
  isEmailQueueEnabled(): boolean

  /** Whether campaigns are processed by the queue. */
  isCampaignProcessingEnabled(): boolean

  /** Whether SMS drips go through the queue. */
  isSmsDripEnabled(): boolean
}

/** The functions over a configuration. */
export function featureFunctions(configuration: Configuration): FeatureFunctions {
  const getFeatureFlags = (): FeatureFlags => {
    const { enabled, emailQueue, campaignProcessing, smsDrip } = configuration.peek().features
    return {
      enabled,
      emailQueue: enabled && emailQueue,
      campaignProcessing: enabled && campaignProcessing,
      smsDrip: enabled && smsDrip,
    }
  }
  return {
    getFeatureFlags,
    isSymphonyEnabled: () => getFeatureFlags().enabled,
    isEmailQueueEnabled: () => getFeatureFlags().emailQueue,
    isCampaignProcessingEnabled: () => getFeatureFlags().campaignProcessing,
    isSmsDripEnabled: () => getFeatureFlags().smsDrip,
  }
}
