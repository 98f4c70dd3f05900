/** The configuration in force, as the core sees it. */
import { existingCore, getCore } from '../core.js'
import { readLoggingFrom } from '../logger.js'
import type { NativeCore } from '../native.js'
import { callNative } from '../native-error.js'
import { peekShared, setShared } from '../state.js'
import type { EffectiveConfig } from './model.js'

const SLOT = 'effectiveConfig'

interface Cached {
  core: NativeCore
  config: EffectiveConfig
}

/** The configuration in force, the caller's own copy. */
export function readConfig(): EffectiveConfig {
  const core = getCore()
  return JSON.parse(callNative(() => core.config())) as EffectiveConfig
}

/** The configuration in force, for reading only: the same object until something changes. */
export function peekConfig(): EffectiveConfig {
  const cached = peekShared<Cached>(SLOT)
  if (cached !== undefined && cached.core === existingCore()) return cached.config
  const config = readConfig()
  setShared(SLOT, { core: getCore(), config })
  return config
}

readLoggingFrom(() => (existingCore() === undefined ? undefined : peekConfig().logging))

/** Forgets what {@link peekConfig} keeps. */
export function forgetConfig(): void {
  setShared(SLOT, undefined)
}
