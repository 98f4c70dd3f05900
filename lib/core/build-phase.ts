/** Nothing is dispatched or read while Next.js builds. */
import { ConfigurationError } from '../base/errors.js'

/** What Next.js sets in `NEXT_PHASE` while it prerenders pages and routes. */
const BUILDING = 'phase-production-build'

/**
 * Refuses to work while Next.js builds: what a page or a route does then is done once, at the build, and its result is
 * served from then on.
 *
 * @throws ConfigurationError with `SYMPHONY_BUILD_PHASE`.
 */
export function refuseDuringBuild(): void {
  if (process.env.NEXT_PHASE !== BUILDING) return
  throw new ConfigurationError(
    '`next build` ran code that uses the queue. Prerendered, it would run now, and never again when the page is ' +
      "visited: put `await connection()` (from 'next/server') before it, so that it runs with every request, or move " +
      'it into a server action or the POST of a route',
    { code: 'SYMPHONY_BUILD_PHASE' },
  )
}
