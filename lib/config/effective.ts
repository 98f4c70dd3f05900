/** The current configuration, as the core sees it. */

import { readLoggingFrom } from '../base/logger.js'
import { peekShared, setShared } from '../base/process-state.js'
import { existingCore, getCore } from '../core/core.js'
import type { NativeCore } from '../core/native.js'
import { callNative } from '../core/native-error.js'
import type { EffectiveConfig } from './model.js'

const SLOT = 'effectiveConfig'

interface Cached {
  core: NativeCore
  config: EffectiveConfig
}

/** The current configuration, as the caller's own copy. */
export function readConfig(): EffectiveConfig {
  const core = getCore()
  return JSON.parse(callNative(() => core.config())) as EffectiveConfig
}

/** The current configuration, read-only: the same object until something changes. */
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
