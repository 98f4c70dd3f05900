/** Switches for moving work to the queue step by step. */
import type { Configuration } from '../config/configuration.js'

/** Which parts of an application use the queue, by name: those that are configured, and the main switch. */
export interface FeatureFlags {
  /** The main switch: `SYMPHONY_ENABLED`, or `features.enabled`. */
  enabled: boolean
  /** Whether that part uses the queue; only while `enabled` is on. */
  [name: string]: boolean
}

/** The switches of an instance. */
export interface FeatureFunctions {
  /** The main switch, and all others that the configuration names. */
  getFeatureFlags(): FeatureFlags

  /** Whether the queue is switched on at all. */
  isSymphonyEnabled(): boolean

  /**
   * Whether a part of the application uses the queue. A name that nothing sets is off.
   *
   * @param name for example `emailQueue`, which `SYMPHONY_EMAIL_QUEUE_ENABLED` or `features.emailQueue` sets.
   */
  isFeatureEnabled(name: string): boolean
}

/** The functions over a configuration. */
export function featureFunctions(configuration: Configuration): FeatureFunctions {
  const getFeatureFlags = (): FeatureFlags => {
    const { enabled, ...others } = configuration.peek().features
    const flags = Object.entries(others).map(([name, on]) => [name, enabled && on])
    return { enabled, ...Object.fromEntries(flags) }
  }
  return {
    getFeatureFlags,
    isSymphonyEnabled: () => configuration.peek().features.enabled,
    // What every object inherits, such as `constructor`, is not on.
    isFeatureEnabled: (name) => getFeatureFlags()[name] === true,
  }
}
