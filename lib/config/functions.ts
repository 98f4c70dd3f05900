/**
 * What an application does with its configuration: one object, over it the environment (`SYMPHONY_*`), over it changes at
 * run time.
 *
 * Everything is validated as a whole before it takes effect. The environment is read at the first use of the instance,
 * and again by `resetConfig()`.
 */
import { ConfigurationError, SymphonyError } from '../base/errors.js'
import { bestPattern } from '../base/pattern.js'
import type { Core } from '../core/core.js'
import { native } from '../core/native.js'
import { callNative } from '../core/native-error.js'
import type { Configuration } from './configuration.js'
import { findConfigFile, readConfigFile } from './file.js'
import { snapshot } from './layers.js'
import { mergeConfig } from './merge.js'
import type { EffectiveConfig, EffectiveRetry, SymphonyConfig, TransportConfig } from './model.js'
import type { ConfigOrigin } from './origins.js'
import { type RuntimeConfigManager, runtimeManager } from './runtime.js'

/** The configuration of an instance. */
export interface ConfigurationFunctions {
  /** The current configuration: all layers together, complete, durations in milliseconds. A copy. */
  getConfig(): EffectiveConfig

  /** Where each value of the current configuration comes from: default, configuration object, variable or run time. */
  getConfigOrigins(): ConfigOrigin[]

  /**
   * Merges `config` into the configuration object: objects deeply, arrays replaced, everything else stays.
   *
   * The environment takes precedence; a key that a variable overrides is logged, once.
   *
   * @throws ConfigurationError naming the key, what it got and what it wants; then nothing has changed.
   */
  setConfig(config: SymphonyConfig): void

  /**
   * Restores the defaults and rereads the environment; an instance of its own goes back to its options. Changes made at
   * run time are discarded too.
   */
  resetConfig(): void

  /**
   * Reads a configuration file and merges it as `setConfig()` does.
   *
   * @param path the file; by default the first of `symphony.config.{ts,mts,js,mjs,cjs,json}` in the working directory;
   * without one, nothing changes.
   * @returns the resulting configuration.
   * @throws ConfigurationError if the given file does not exist, cannot be loaded or is invalid.
   */
  loadConfig(path?: string): Promise<EffectiveConfig>

  /** A transport by any of its names (`default` for the default one); `undefined` if it does not exist. */
  getTransportConfig(name: string): TransportConfig | undefined

  /**
   * The names of the transports that messages of a type go to.
   *
   * @param priority considered by `priorityRouting`; by default the default priority.
   */
  getTransportsForMessageType(type: string, priority?: number): string[]

  /** The retry strategy of a message type, complete. */
  getRetryConfig(type: string): EffectiveRetry

  /** Changes the configuration of a running process. */
  getRuntimeConfigManager(): RuntimeConfigManager
}

/** The functions over a configuration. */
export function configurationFunctions(configuration: Configuration, core: Core): ConfigurationFunctions {
  const { layers } = configuration
  const manager = runtimeManager(configuration)
  const lay = (config: SymphonyConfig): void =>
    configuration.change({ config: mergeConfig(layers.current.config, asObject(config)) })
  return {
    getConfig: () => configuration.read(),
    getConfigOrigins: () => configuration.origins(),
    setConfig(config) {
      lay(config)
      configuration.warnOfOverridden(config)
    },
    resetConfig: () => configuration.change({ config: layers.origin, runtime: {}, environment: snapshot() }),
    async loadConfig(path) {
      const file = path ?? findConfigFile()
      if (file !== undefined) lay(await readConfigFile(file))
      return configuration.read()
    },
    getTransportConfig(name) {
      const named = callNative(() => core.get().transportNamed(name))
      return configuration.read().transports[named]
    },
    getTransportsForMessageType: (type, priority) => callNative(() => core.get().transportsFor(type, priority ?? null)),
    getRetryConfig(type) {
      const { retry } = configuration.peek()
      return { ...retry[bestPattern(Object.keys(retry), type) ?? 'default'] } as EffectiveRetry
    },
    getRuntimeConfigManager: () => manager,
  }
}

/** Gives a configuration its type, for `export default defineConfig({ … })` in `symphony.config.ts`. Sets nothing. */
export function defineConfig(config: SymphonyConfig): SymphonyConfig {
  return config
}

/**
 * Checks a configuration without applying it, on its own: without environment and changes at run time.
 *
 * @returns whether it is valid, and the errors found, each naming its key.
 */
export function validateConfig(config: SymphonyConfig): { valid: boolean; errors: string[] } {
  const { Core: NativeCore } = native()
  try {
    const trial = JSON.stringify({ config: asObject(config), runtime: {}, environment: {} })
    const core = callNative(() => new NativeCore(trial))
    void core.close().catch(() => undefined)
    return { valid: true, errors: [] }
  } catch (error) {
    if (error instanceof SymphonyError || error instanceof TypeError) return { valid: false, errors: [error.message] }
    throw error
  }
}

/** Anything else would be merged as if it were empty. */
export function asObject(config: unknown): SymphonyConfig {
  if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config
  const got = config === null ? 'null' : Array.isArray(config) ? 'an array' : typeof config
  throw new ConfigurationError(`the configuration: got ${got}, wants an object`)
}
