/** Numbers, times and texts for people. Pure. */

const COUNT = new Intl.NumberFormat('en-US')

/** `1,204`; with a plus where counting stopped at a cap; a dash for nothing. */
export function count(value: number, capped = false): string {
  if (value === 0) return '–'
  return capped ? `${COUNT.format(value)}+` : COUNT.format(value)
}

/** `3 messages`, `1 message`. */
export function several(value: number, noun: string): string {
  return `${COUNT.format(value)} ${noun}${value === 1 ? '' : 's'}`
}

const UNITS: ReadonlyArray<[name: string, milliseconds: number]> = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
]

/** `420 ms`, `41 s`, `2 h 4 min`: at most two units, the smaller one only while it matters. */
export function span(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`
  const whole = Math.round(milliseconds / 1_000) * 1_000
  const first = UNITS.findIndex(([, size]) => whole >= size)
  const [name, size] = UNITS[first] as [string, number]
  const [smaller, smallerSize] = UNITS[first + 1] ?? ['', Number.POSITIVE_INFINITY]
  const rest = Math.floor((whole % size) / smallerSize)
  return rest === 0 ? `${Math.floor(whole / size)} ${name}` : `${Math.floor(whole / size)} ${name} ${rest} ${smaller}`
}

/** `3 min ago`, `in 4 min`; a dash for no instant, `?` for one that no calendar has. */
export function distance(instant: Date | null, now: number): string {
  if (instant === null) return '–'
  const time = instant.getTime()
  if (Number.isNaN(time)) return '?'
  if (Math.abs(time - now) < 1_000) return 'now'
  return time > now ? `in ${span(time - now)}` : `${span(now - time)} ago`
}

/** An instant with its distance, in UTC: what can be copied, and what can be understood. */
export function instant(value: Date | null, now: number): string {
  if (value === null || Number.isNaN(value.getTime())) return distance(value, now)
  return `${value.toISOString()} (${distance(value, now)})`
}

/** One line of at most so many characters. */
export function shortened(text: string, most: number): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length <= most ? line : `${line.slice(0, Math.max(0, most - 1))}…`
}

/** `3.2 %`. */
export function percent(fraction: number): string {
  const value = fraction * 100
  return `${value === 0 || value === 100 ? value : value.toFixed(value < 10 ? 1 : 0)} %`
}
