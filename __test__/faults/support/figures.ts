import { appendFileSync } from 'node:fs'
import { seed } from './scale.js'

/** What a scenario measured, by name. */
export type Figures = Record<string, number | string>

/**
 * Tells what a scenario measured: to the reader of the output, and to `npm run soak` through the file that
 * FAULTS_FILE names.
 */
export function tell(scenario: string, figures: Figures): void {
  const words = Object.entries(figures).map(([name, value]) => `${name} ${value}`)
  console.log(`${scenario} (seed ${seed}): ${words.join(', ')}`)
  const file = process.env.FAULTS_FILE
  if (file) appendFileSync(file, `${JSON.stringify({ scenario, seed, figures })}\n`)
}

/** Milliseconds since an instant of `performance.now()`, rounded. */
export function since(start: number): number {
  return Math.round(performance.now() - start)
}

/** The greatest, 0 of none. */
export function greatest(values: number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0)
}
