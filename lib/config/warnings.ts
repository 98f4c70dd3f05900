/** What a configuration says in vain, as sentences for the log. Pure. */
import { parseDuration } from '../base/duration.js'
import { didYouMean } from '../base/suggestions.js'
import type { EffectiveConfig, SymphonyConfig } from './model.js'

/** A key of the configuration that an environment variable sets. */
export interface VariableKey {
  /** Dotted. */
  key: string
  variable: string
}

type Environment = Record<string, string>

/** Keys of `change` that a variable of the environment keeps from taking effect. */
export function overridden(change: SymphonyConfig, environment: Environment, keys: readonly VariableKey[]): string[] {
  return keys.flatMap(({ key, variable }) => {
    if (variable.includes('*')) return []
    const text = environment[variable]?.trim()
    const given = valueAt(change, key)
    if (!text || given === undefined || isSame(given, text)) return []
    return [
      `setConfig() sets ${key}, and the environment variable ${variable} takes precedence: what setConfig() says has no ` +
        'effect. Unset the variable, or change it at run time with getRuntimeConfigManager()',
    ]
  })
}

/** Names like ours; those for tests, of applications and of this package, are left to them. */
const OURS = /^SYMPHONY_(?!TEST_)/

/** Variables that look like those of this package and are none. */
export function unknownVariables(environment: Environment, keys: readonly VariableKey[]): string[] {
  const known = ['SYMPHONY_ENV', 'SYMPHONY_RELEASE', ...keys.map(({ variable }) => variable)]
  const unknown = Object.keys(environment).filter((name) => OURS.test(name))
  return unknown
    .filter((name) => !known.some((variable) => isNamed(variable, name)))
    .map(
      (name) =>
        `the environment variable ${name} sets nothing${didYouMean(
          known.filter((variable) => !variable.includes('*')),
          name,
        )}`,
    )
}

/** Whether a variable is this one, or of this pattern: `SYMPHONY_*_ENABLED`. */
function isNamed(variable: string, name: string): boolean {
  const [start = '', end] = variable.split('*')
  if (end === undefined) return variable === name
  return name.startsWith(start) && name.endsWith(end) && name.length > start.length + end.length
}

/** Other names of transports, which need no entry. */
const SYNONYMS = ['default', 'postgres', 'supabase']

/** Routes to transports that are not configured. */
export function strayRoutes({ routing, priorityRouting, defaultTransport, transports }: Routes): string[] {
  const known = [...Object.keys(transports), ...SYNONYMS]
  const routes = [
    ...Object.entries(routing).map(([type, to]) => ({ of: `routing.${type}`, to })),
    ...priorityRouting.map(({ transport }, index) => ({ of: `priorityRouting[${index}]`, to: transport })),
    { of: 'defaultTransport', to: defaultTransport },
  ]
  return routes.flatMap(({ of, to }) =>
    [to]
      .flat()
      .filter((name) => !known.includes(name))
      .map(
        (name) =>
          `${of} leads to the transport ${name}, which is not configured${didYouMean(Object.keys(transports), name)}. ` +
          'Dispatches there are refused, unless a row of messenger_transports adds it',
      ),
  )
}

type Routes = Pick<EffectiveConfig, 'routing' | 'priorityRouting' | 'defaultTransport' | 'transports'>

function valueAt(config: object, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>((value, part) => (value as Record<string, unknown> | null | undefined)?.[part], config)
}

function isSame(given: unknown, text: string): boolean {
  if (String(given) === text) return true
  if (typeof given === 'boolean')
    return (given ? ['1', 'yes', 'on', 'true'] : ['0', 'no', 'off', 'false']).includes(text.toLowerCase())
  const time = parseDuration(given)
  return time !== undefined && time === (parseDuration(text) ?? Number(text))
}
