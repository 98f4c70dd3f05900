/** The core of the process: created at first use, reconfigured in place, shared by all copies of the package. */

import { peekShared, setShared } from '../base/process-state.js'
import { layersAsJson, readEnvironment } from '../config/layers.js'
import { Batcher } from '../dispatch/group-commit.js'
import { type NativeCore, native } from './native.js'
import { callNative } from './native-error.js'

interface Running {
  core: NativeCore
  batcher: Batcher
}

const SLOT = 'core'

/** Connects a part that the core calls back with a new core. */
type Connect = (core: NativeCore, batcher: Batcher) => void

const connections: Connect[] = []

/** Connects a part with every core created from now on. */
export function whenCoreIsMade(connect: Connect): void {
  connections.push(connect)
}

/**
 * The core, created if necessary from the current configuration. This opens no connection.
 *
 * @throws ConfigurationError when the configuration is invalid.
 */
export function getCore(): NativeCore {
  return running().core
}

/** The group commit before the core. */
export function getBatcher(): Batcher {
  return running().batcher
}

/** The core, if there is one. */
export function existingCore(): NativeCore | undefined {
  return peekShared<Running>(SLOT)?.core
}

/** Forgets the core, so that the next use creates one. */
export function forgetCore(): void {
  setShared(SLOT, undefined)
}

function running(): Running {
  return peekShared<Running>(SLOT) ?? start()
}

function start(): Running {
  readEnvironment()
  const { Core } = native()
  const core = callNative(() => new Core(layersAsJson()))
  const batcher = new Batcher((requests) => core.dispatch(requests))
  for (const connect of connections) connect(core, batcher)
  const started = { core, batcher }
  setShared(SLOT, started)
  return started
}
