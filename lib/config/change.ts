/** Changing the configuration: validated by the core as a whole, then in force; or refused, and nothing has changed. */

import { ConfigurationError } from '../base/errors.js'
import { shared } from '../base/process-state.js'
import { safely } from '../base/safely.js'
import { existingCore, getCore } from '../core/core.js'
import { callNative } from '../core/native-error.js'
import { forgetConfig, readConfig } from './effective.js'
import { type Layers, layers, setLayers } from './layers.js'
import type { EffectiveConfig } from './model.js'

/** Called after a change, with the configuration now in force and the one before. */
export type ConfigListener = (config: EffectiveConfig, previous: EffectiveConfig) => void

function listeners(): Set<ConfigListener> {
  return shared('configListeners', () => new Set())
}

/** Registers a listener; the returned function removes it. */
export function onConfigChange(listener: ConfigListener): () => void {
  listeners().add(listener)
  return () => {
    listeners().delete(listener)
  }
}

/**
 * Puts layers in force.
 *
 * @throws ConfigurationError naming the key, what it got and what it wants.
 */
export function changeLayers(change: Partial<Layers>): void {
  const previous = listeners().size > 0 ? readConfig() : undefined
  apply(detached({ ...layers(), ...change }))
  forgetConfig()
  if (previous !== undefined) notify(readConfig(), previous)
}

/** A copy that the caller's object does not share anything with. */
function detached(given: Layers): Layers {
  try {
    return JSON.parse(JSON.stringify(given)) as Layers
  } catch (cause) {
    throw new ConfigurationError(`the configuration is not plain data: ${(cause as Error).message}`, { cause })
  }
}

function apply(next: Layers): void {
  const core = existingCore()
  if (core !== undefined) {
    callNative(() => core.configure(JSON.stringify(next)))
    setLayers(next)
    return
  }
  const before = layers()
  setLayers(next)
  try {
    getCore()
  } catch (error) {
    setLayers(before)
    throw error
  }
}

function notify(config: EffectiveConfig, previous: EffectiveConfig): void {
  for (const listener of [...listeners()]) {
    safely('a configuration listener', () => listener(config, previous))
  }
}
