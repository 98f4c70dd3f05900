/** Bearer tokens, compared in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto'

/** Whether a request carries `Authorization: Bearer <secret>`. An empty or missing secret matches nothing. */
export function hasBearer(request: Request, secret: string | undefined): boolean {
  if (secret === undefined || secret === '') return false
  const given = /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
  return given !== undefined && isSame(given, secret)
}

/** Digests have one length, so the time reveals neither the length nor a common prefix of the secrets. */
function isSame(left: string, right: string): boolean {
  return timingSafeEqual(digest(left), digest(right))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/**
 * An `authorize` that accepts `Authorization: Bearer <secret>`, compared in constant time.
 *
 * @param secret 16 random characters or more; a function is called for every request. Empty or `undefined` opens
 *   nothing.
 *
 * @example
 * createSymphonyRoute({ authorize: bearerToken(() => process.env.QUEUE_TOKEN) })
 */
export function bearerToken(secret: string | undefined | (() => string | undefined)): (request: Request) => boolean {
  return (request) => hasBearer(request, typeof secret === 'function' ? secret() : secret)
}
