/** Where each value of a configuration comes from. Pure. */
import type { LayerSet } from './layers.js'
import type { EffectiveConfig } from './model.js'
import type { VariableKey } from './warnings.js'

/** One value of the configuration in force. */
export interface ConfigOrigin {
  /** Dotted, such as `worker.batchSize`. */
  key: string
  /** As it is in force: durations in milliseconds, passwords in URLs masked. */
  value: unknown
  /**
   * What has set it: nothing, so that it is the package's default or follows from another key; the configuration object,
   * which the file and `setConfig()` fill; a variable of the environment; a change at run time.
   */
  origin: 'default' | 'config' | 'environment' | 'runtime'
  /** The variable. */
  variable?: string
  /** The section of `environments` that has set it, such as `environments.production`. */
  section?: string
}

/** The variables of hosting platforms that stand in where no database is configured, as the core has them. */
const FALLBACKS: Record<string, readonly string[]> = {
  'database.url': ['DATABASE_URL', 'POSTGRES_URL'],
  'database.directUrl': ['POSTGRES_URL_NON_POOLING'],
}

/** The origin of each value, in the order of the configuration. */
export function originsOf(config: EffectiveConfig, layers: LayerSet, keys: readonly VariableKey[]): ConfigOrigin[] {
  return leavesOf(config, []).map(({ path, value }) => {
    const key = path.join('.')
    return { key, value, ...originOf(path, key, layers, keys) }
  })
}

type Origin = Pick<ConfigOrigin, 'origin' | 'variable' | 'section'>

function originOf(path: readonly string[], key: string, layers: LayerSet, keys: readonly VariableKey[]): Origin {
  const { config, runtime, environment } = layers
  if (has(runtime, path)) return { origin: 'runtime' }
  const own = keys.find((one) => one.key === key)?.variable ?? switchOf(path)
  if (own !== undefined && environment[own]?.trim()) return { origin: 'environment', variable: own }
  const name = environment.SYMPHONY_ENV || environment.NODE_ENV || ''
  if (has(config.environments?.[name], path)) return { origin: 'config', section: `environments.${name}` }
  if (has(config, path)) return { origin: 'config' }
  const variable = FALLBACKS[key]?.find((one) => environment[one]?.trim())
  return variable === undefined ? { origin: 'default' } : { origin: 'environment', variable }
}

/** `features.emailQueue` is set by `SYMPHONY_EMAIL_QUEUE_ENABLED`. */
function switchOf([section, name = '', ...more]: readonly string[]): string | undefined {
  if (section !== 'features' || more.length > 0) return undefined
  return `SYMPHONY_${name.replaceAll(/[A-Z]/g, '_$&').toUpperCase()}_ENABLED`
}

interface Leaf {
  path: string[]
  value: unknown
}

/** Values that are no objects; an empty object is one value. */
function leavesOf(value: unknown, path: string[]): Leaf[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ path, value }]
  const entries = Object.entries(value)
  if (entries.length === 0) return [{ path, value }]
  return entries.flatMap(([name, inner]) => leavesOf(inner, [...path, name]))
}

/** Whether something is set there, or in an array or text on the way. */
function has(layer: unknown, path: readonly string[]): boolean {
  if (path.length === 0) return layer !== undefined && layer !== null
  if (typeof layer !== 'object' || layer === null) return false
  return has((layer as Record<string, unknown>)[path[0] as string], path.slice(1))
}
