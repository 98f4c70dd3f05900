/**
 * Configuration: one object, over it the environment (`SYMPHONY_*`), over it changes at run time.
 *
 * Everything is validated as a whole before it takes effect. The environment is read at the first use of the package,
 * and again by {@link resetConfig}.
 */

import { ConfigurationError, SymphonyError } from '../base/errors.js'
import { bestPattern } from '../base/pattern.js'
import { getCore } from '../core/core.js'
import { native } from '../core/native.js'
import { callNative } from '../core/native-error.js'
import { changeLayers } from './change.js'
import { peekConfig, readConfig } from './effective.js'
import { findConfigFile, readConfigFile } from './file.js'
import { layers, snapshot } from './layers.js'
import { merge } from './merge.js'
import type { EffectiveConfig, EffectiveRetry, SymphonyConfig, TransportConfig } from './model.js'

/** The current configuration: all layers together, complete, durations in milliseconds. A copy. */
export function getConfig(): EffectiveConfig {
  return readConfig()
}

/**
 * Merges `config` into the configuration object: objects deeply, arrays replaced, everything else stays.
 *
 * @throws ConfigurationError naming the key, what it got and what it wants; then nothing has changed.
 */
export function setConfig(config: SymphonyConfig): void {
  changeLayers({ config: merge(layers().config, asObject(config)) })
}

/** Restores the defaults and rereads the environment. Changes made at run time are discarded too. */
export function resetConfig(): void {
  changeLayers({ config: {}, runtime: {}, environment: snapshot() })
}

/** Gives a configuration its type, for `export default defineConfig({ … })` in `symphony.config.ts`. Sets nothing. */
export function defineConfig(config: SymphonyConfig): SymphonyConfig {
  return config
}

/**
 * Reads a configuration file and merges it as {@link setConfig} does.
 *
 * @param path the file; by default the first of `symphony.config.{ts,mts,js,mjs,cjs,json}` in the working directory;
 * without one, nothing changes.
 * @returns the resulting configuration.
 * @throws ConfigurationError if the given file does not exist, cannot be loaded or is invalid.
 */
export async function loadConfig(path?: string): Promise<EffectiveConfig> {
  const file = path ?? findConfigFile()
  if (file !== undefined) setConfig(await readConfigFile(file))
  return readConfig()
}

/** A transport by name (`default` for the default one); `undefined` if it does not exist. */
export function getTransportConfig(name: string): TransportConfig | undefined {
  const { transports, defaultTransport } = readConfig()
  return transports[name] ?? (name === 'default' ? transports[defaultTransport] : undefined)
}

/**
 * The names of the transports that messages of a type go to.
 *
 * @param priority considered by `priorityRouting`; by default the default priority.
 */
export function getTransportsForMessageType(type: string, priority?: number): string[] {
  const core = getCore()
  return callNative(() => core.transportsFor(type, priority ?? null))
}

/** The retry strategy of a message type, complete. */
export function getRetryConfig(type: string): EffectiveRetry {
  const { retry } = peekConfig()
  return { ...retry[bestPattern(Object.keys(retry), type) ?? 'default'] } as EffectiveRetry
}

/**
 * Checks a configuration without applying it, on its own: without environment and changes at run time.
 *
 * @returns whether it is valid, and the errors found, each naming its key.
 */
export function validateConfig(config: SymphonyConfig): { valid: boolean; errors: string[] } {
  const { Core } = native()
  try {
    const trial = JSON.stringify({ config: asObject(config), runtime: {}, environment: {} })
    const core = callNative(() => new Core(trial))
    void core.close().catch(() => undefined)
    return { valid: true, errors: [] }
  } catch (error) {
    if (error instanceof SymphonyError || error instanceof TypeError) return { valid: false, errors: [error.message] }
    throw error
  }
}

/** Anything else would be merged as if it were empty. */
function asObject(config: unknown): SymphonyConfig {
  if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config
  const got = config === null ? 'null' : Array.isArray(config) ? 'an array' : typeof config
  throw new ConfigurationError(`the configuration: got ${got}, wants an object`)
}
