import { setTimeout as sleep } from 'node:timers/promises'

/** How long a condition may take to come true, in milliseconds: only a hanging test is stopped by it. */
const PATIENCE = 45_000

/**
 * Waits until a condition holds.
 *
 * @param what the end of the sentence "waited too long until", for the failure.
 */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  { patience = PATIENCE, pause = 20 }: { patience?: number; pause?: number } = {},
): Promise<void> {
  const start = performance.now()
  while (!(await holds())) {
    if (performance.now() - start > patience) throw new Error(`waited too long until ${what}`)
    await sleep(pause)
  }
}
