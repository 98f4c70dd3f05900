/** The keys of the configuration, as the core declares them, and values as documents write them. */
import { native } from '../../lib/core/native.js'

/** One key; see `Key` in `src/config/keys.rs`. */
export interface Key {
  /** Dotted; `*` stands for a name, and for each rule of an array. */
  key: string
  type: 'text' | 'whole' | 'number' | 'duration' | 'flag' | 'choice' | 'list' | 'object'
  min: number | null
  max: number | null
  words: string[]
  default: unknown
  variable: string | null
}

/** Every key. */
export const KEYS: readonly Key[] = JSON.parse(native().configurationKeys())

/** Each environment variable with the key that it sets. */
export const VARIABLES: ReadonlyMap<string, string> = new Map(
  KEYS.flatMap(({ key, variable }) => (variable === null ? [] : [[variable, key]])),
)

const UNITS: Record<string, number> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, days: 86_400_000 }

/** What a 32-bit timer holds, and a century: both are written rounded. */
const ROUNDED: Record<string, number> = { '24.8 days': 2_147_483_647, '100 years': 3_155_760_000_000 }

/** `1048576 (1 MiB)`, `10,000`, `24 h`: a number, for durations of milliseconds. */
export function readNumber(text: string): number | undefined {
  const [, amount, unit = 'ms'] = /^([\d.,]+)(?: (\w+))?(?: \(.*\))?$/.exec(text) ?? []
  if (ROUNDED[text] !== undefined) return ROUNDED[text]
  return amount === undefined ? undefined : Number(amount.replaceAll(',', '')) * (UNITS[unit] ?? Number.NaN)
}

/** `1 to 10`: both ends. */
export function readRange(text: string): [number | null, number | null] {
  const [, least = '', most = ''] = /^(.+) (?:to (.+)|or more)$/.exec(text) ?? []
  return [readNumber(least) ?? null, readNumber(most) ?? null]
}
