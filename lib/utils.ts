/** Ready-made messages and feature flags: `@leadmap/symphony/utils`. */
import './symphony.js'

export { type FallbackFlag, withSymphonyFallback } from './fallback.js'
export {
  type FeatureFlags,
  getFeatureFlags,
  isCampaignProcessingEnabled,
  isEmailQueueEnabled,
  isSmsDripEnabled,
  isSymphonyEnabled,
} from './features.js'
export type { BuildOptions } from './messages/build.js'
export {
  buildCampaignMessage,
  type CampaignAction,
  type CampaignMessage,
  type CampaignMessageParams,
  type CampaignPayload,
  dispatchCampaignMessage,
} from './messages/campaign.js'
export {
  buildEmailMessage,
  dispatchEmailMessage,
  type EmailMessage,
  type EmailMessageParams,
  type EmailPayload,
} from './messages/email.js'
export {
  buildSMSMessage,
  dispatchSMSMessage,
  type SMSMessage,
  type SMSMessageParams,
  type SMSPayload,
} from './messages/sms.js'
