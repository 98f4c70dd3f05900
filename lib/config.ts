/** The configuration: `@leadmap/symphony/config`. */
export type { Duration } from './base/duration.js'
export { ConfigurationError } from './base/errors.js'
export type { ConfigListener } from './config/configuration.js'
export { defineConfig, validateConfig } from './config/functions.js'
export type * from './config/model.js'
export type { ConfigOrigin } from './config/origins.js'
export { retryDelay } from './config/retry-delay.js'
export type { RuntimeConfigManager } from './config/runtime.js'
export {
  getConfig,
  getConfigOrigins,
  getRetryConfig,
  getRuntimeConfigManager,
  getTransportConfig,
  getTransportsForMessageType,
  loadConfig,
  resetConfig,
  setConfig,
} from './default/functions.js'
