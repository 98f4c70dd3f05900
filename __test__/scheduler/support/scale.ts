/** `npm test` does enough to notice what is broken; SCHEDULER_FULL=1 does the full measure. */
export function scaled<T>(short: T, full: T): T {
  return process.env.SCHEDULER_FULL === '1' ? full : short
}

/** Tells what was measured. */
export function tell(what: string, figures: Record<string, number | string>): void {
  const words = Object.entries(figures).map(([name, value]) => `${name} ${value}`)
  process.stdout.write(`${what}: ${words.join(', ')}\n`)
}
