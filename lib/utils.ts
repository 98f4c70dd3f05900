/** Ready-made messages and feature flags: `@leadmap/symphony/utils`. */
export type { FallbackFlag } from './adoption/fallback.js'
export type { FeatureFlags } from './adoption/features.js'
export {
  getFeatureFlags,
  isCampaignProcessingEnabled,
  isEmailQueueEnabled,
  isSmsDripEnabled,
  isSymphonyEnabled,
  withSymphonyFallback,
} from './default/functions.js'
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
