/** The three layers of the configuration, as the core takes them. Later wins: defaults, config, environment, runtime. */
import { setShared, shared } from '../base/process-state.js'
import type { SymphonyConfig } from './model.js'

/** What the application configured, what the environment says, what was changed at run time. */
export interface Layers {
  config: SymphonyConfig
  runtime: SymphonyConfig
  environment: Record<string, string>
}

const SLOT = 'layers'

/** The layers in force. Never changed in place. */
export function layers(): Layers {
  return shared(SLOT, () => ({ config: {}, runtime: {}, environment: snapshot() }))
}

/** Puts other layers in force. The core is not told; see `change.ts`. */
export function setLayers(next: Layers): void {
  setShared(SLOT, next)
}

/** Takes a fresh snapshot of the environment. */
export function readEnvironment(): void {
  setLayers({ ...layers(), environment: snapshot() })
}

/** Layers as the core takes them. */
export function layersAsJson(given: Layers = layers()): string {
  return JSON.stringify(given)
}

const FALLBACKS = ['DATABASE_URL', 'POSTGRES_URL', 'POSTGRES_URL_NON_POOLING', 'NODE_ENV']

/** The variables that mean something to this package. */
export function snapshot(environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const relevant = Object.entries(environment).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (entry[0].startsWith('SYMPHONY_') || FALLBACKS.includes(entry[0])),
  )
  return Object.fromEntries(relevant)
}
