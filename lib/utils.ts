/** Ready-made messages and feature flags: `@leadmap/symphony/utils`. */
import './symphony.js'

export { type FallbackFlag, withSymphonyFallback } from './adoption/fallback.js'
export {
  type FeatureFlags,
  getFeatureFlags,
  isCampaignProcessingEnabled,
  isEmailQueueEnabled,
  isSmsDripEnabled,
  isSymphonyEnabled,
} from './adoption/features.js'
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
