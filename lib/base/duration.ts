/** Durations as people write them: milliseconds, or `'500ms'`, `'30s'`, `'5m'`, `'24h'`, `'30d'`. */

/** Milliseconds, or a number with a unit: `ms`, `s`, `m`, `h` or `d`. */
export type Duration = number | string

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const PATTERN = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d)$/

/** What {@link parseDuration} accepts, for error messages. */
export const DURATION_FORM = "milliseconds or a string like '500ms', '30s', '5m', '24h', '30d'"

/** The milliseconds of a duration; `undefined` if it is not one, or negative. */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined
  if (typeof value !== 'string') return undefined
  const [, amount, unit] = PATTERN.exec(value.trim()) ?? []
  if (amount === undefined || unit === undefined) return undefined
  return Number(amount) * (UNITS[unit] ?? 1)
}
