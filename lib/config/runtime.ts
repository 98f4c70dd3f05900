/** Changes at run time: the last layer, over configuration object and environment. */
import type { ConfigListener, Configuration } from './configuration.js'
import { mergeConfig } from './merge.js'
import type { EffectiveConfig, EnvironmentConfig, RetryConfig, TransportConfig, WorkerConfig } from './model.js'

/**
 * Changes the configuration of a running process. Each change is validated together with everything else; an invalid
 * one throws a `ConfigurationError` and changes nothing.
 */
export interface RuntimeConfigManager {
  /** Priority, 1 to 10, of messages that specify none. */
  setDefaultPriority(priority: number): void
  /** Transport of messages that no route matches. */
  setDefaultTransport(name: string): void
  /** Queue of messages that specify none. */
  setDefaultQueue(queue: string): void
  /** Adds or changes a transport. */
  setTransport(name: string, config: TransportConfig): void
  /** Removes a transport from any source. `setTransport()` brings it back. */
  removeTransport(name: string): void
  /** Routes a message type, or a pattern such as `Email*`. */
  setRouting(type: string, transports: string | string[]): void
  /** The retry strategy of a message type, a pattern, or `default`. */
  setRetry(type: string, strategy: RetryConfig): void
  /** How messages are consumed; a running consumer keeps what it started with. */
  setWorker(config: WorkerConfig): void
  /** Any change, merged over the changes so far. */
  update(config: EnvironmentConfig): void
  /** The current configuration, all layers together. */
  get(): EffectiveConfig
  /** Reverts all changes made at run time. */
  reset(): void
  /** Calls `listener` after every change, from any source; the returned function ends that. */
  onChange(listener: ConfigListener): () => void
}

/** The runtime manager of a configuration. */
export function runtimeManager(configuration: Configuration): RuntimeConfigManager {
  const update = (change: EnvironmentConfig): void =>
    configuration.change({ runtime: mergeConfig(configuration.layers.current.runtime, change) })
  return {
    setDefaultPriority: (defaultPriority) => update({ defaultPriority }),
    setDefaultTransport: (defaultTransport) => update({ defaultTransport }),
    setDefaultQueue: (defaultQueue) => update({ defaultQueue }),
    setTransport: (name, config) => update({ transports: { [name]: config } }),
    // `null` in a layer removes what the layers below it say.
    removeTransport(name) {
      if (configuration.peek().transports[name] !== undefined) update({ transports: { [name]: null } })
    },
    setRouting: (type, transports) => update({ routing: { [type]: transports } }),
    setRetry: (type, strategy) => update({ retry: { [type]: strategy } }),
    setWorker: (worker) => update({ worker }),
    update,
    get: () => configuration.read(),
    reset: () => configuration.change({ runtime: {} }),
    onChange: (listener) => configuration.onChange(listener),
  }
}
