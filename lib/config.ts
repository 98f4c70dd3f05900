/**
 * The configuration alone: `@leadmap/symphony/config`. The root entry has all of it too.
 */
import './symphony.js'

export type { Duration } from './base/duration.js'
export { ConfigurationError } from './base/errors.js'
export type { ConfigListener } from './config/change.js'
export {
  defineConfig,
  getConfig,
  getRetryConfig,
  getTransportConfig,
  getTransportsForMessageType,
  loadConfig,
  resetConfig,
  setConfig,
  validateConfig,
} from './config/configuration.js'
export type * from './config/model.js'
export { getRuntimeConfigManager, type RuntimeConfigManager } from './config/runtime.js'
