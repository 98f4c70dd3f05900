/** When a server wants the next request: `Retry-After`, as seconds or as an HTTP date. */

/** A week: a server that names a longer wait is not believed. */
const LONGEST = 7 * 24 * 3_600_000

/** The delay in milliseconds that an error asks for, in `retryAfter` or among its response's headers; `null`: none. */
export function retryAfterOf(error: object, now: number = Date.now()): number | null {
  const { retryAfter, details, headers, response } = error as Record<string, unknown>
  const candidates = [
    retryAfter,
    (details as { retryAfter?: unknown } | null | undefined)?.retryAfter,
    header(headers),
    header((response as { headers?: unknown } | null | undefined)?.headers),
  ]
  for (const candidate of candidates) {
    const wait = parseRetryAfter(candidate, now)
    if (wait !== null) return wait
  }
  return null
}

/** The delay in milliseconds of a `Retry-After` value: seconds, HTTP date or `Date`; `null` for anything else. */
export function parseRetryAfter(value: unknown, now: number): number | null {
  if (value instanceof Date) return bounded(value.getTime() - now)
  if (typeof value === 'number') return bounded(value * 1_000)
  if (typeof value !== 'string' || value.trim() === '') return null
  return /^\s*\d+(?:\.\d+)?\s*$/.test(value) ? bounded(Number(value) * 1_000) : bounded(Date.parse(value) - now)
}

function bounded(wait: number): number | null {
  return Number.isNaN(wait) ? null : Math.round(Math.min(Math.max(wait, 0), LONGEST))
}

/** The header from a `Headers` object, or from a plain one in any case. */
function header(headers: unknown): unknown {
  if (typeof headers !== 'object' || headers === null) return undefined
  const { get } = headers as { get?: unknown }
  if (typeof get === 'function') return get.call(headers, 'retry-after')
  const found = Object.entries(headers).find(([name]) => name.toLowerCase() === 'retry-after')
  return Array.isArray(found?.[1]) ? found[1][0] : found?.[1]
}
