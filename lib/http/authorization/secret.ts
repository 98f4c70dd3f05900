/** Bearer tokens, compared in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto'

/** Whether a request carries `Authorization: Bearer <secret>`. An empty or missing secret fits nothing. */
export function hasBearer(request: Request, secret: string | undefined): boolean {
  if (secret === undefined || secret === '') return false
  const given = /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
  return given !== undefined && isSame(given, secret)
}

/** Digests are of one length, so neither length nor common beginning of the secrets shows in the time taken. */
function isSame(left: string, right: string): boolean {
  return timingSafeEqual(digest(left), digest(right))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/**
 * An `authorize` that accepts `Authorization: Bearer <secret>`, compared in constant time.
 *
 * @param secret of 16 random characters or more; a function is asked at every request. Empty or `undefined` opens nothing.
 *
 * @example
 * createSymphonyRoute({ authorize: bearerToken(() => process.env.QUEUE_TOKEN) })
 */
export function bearerToken(secret: string | undefined | (() => string | undefined)): (request: Request) => boolean {
  return (request) => hasBearer(request, typeof secret === 'function' ? secret() : secret)
}
