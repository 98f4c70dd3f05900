/**
 * Requests that another site makes a browser send: the cookie is included although its owner asked for nothing.
 *
 * Over TLS a browser says which site caused the request (`Sec-Fetch-Site`). Over plain HTTP only `Origin` says so, and
 * not with every request; any other request must carry something that a page of another site may not add without a
 * preflight.
 */
import { RequestProblem } from '../responses/problem.js'

/** Sent by programs and by pages of the application itself; a page of another site needs a preflight for it. */
const PROOF = 'x-symphony-request'

const REMEDY = `Send the header ${PROOF}: 1, which a page of another site cannot add, or a bearer token`

/**
 * Refuses a request with effects if another site may have caused it.
 *
 * @throws RequestProblem 403, which says what was found and what would let the request pass.
 */
export function refuseForgery(request: Request): void {
  const { headers } = request
  const site = headers.get('sec-fetch-site')
  const origin = headers.get('origin')
  if (site !== null) {
    if (site !== 'same-origin' && site !== 'none') throw refused(`another site (sec-fetch-site: ${shown(site)})`)
  } else if (origin !== null) {
    if (!isOwn(origin, request)) throw refused(`another site (origin: ${shown(origin)})`)
  } else if (mayBeForged(request)) {
    throw refused('a browser that does not say which site caused the request', REMEDY)
  }
}

function refused(from: string, remedy?: string): RequestProblem {
  const message = `refused: sent by ${from}`
  return new RequestProblem(403, 'SYMPHONY_FORBIDDEN', remedy === undefined ? message : `${message}. ${remedy}`)
}

function shown(header: string): string {
  return header.length > 100 ? `${header.slice(0, 100)}…` : header
}

/** Whether an origin is the host that the request was sent to. No page can set `Host` or `X-Forwarded-Host`. */
function isOwn(origin: string, request: Request): boolean {
  if (!URL.canParse(origin)) return false
  const { protocol, host } = new URL(origin)
  const forwarded = request.headers.get('x-forwarded-host')?.split(',')[0]?.trim()
  return [request.headers.get('host'), forwarded, new URL(request.url).host].some(
    (own) => own && normalised(protocol, own) === host,
  )
}

/** A host as `URL` writes it: in lower case, without the default port of its protocol. */
function normalised(protocol: string, host: string): string | undefined {
  return URL.canParse(`${protocol}//${host}`) ? new URL(`${protocol}//${host}`).host : undefined
}

/** Whether a browser may have been made to send this, with only what it adds by itself. */
function mayBeForged(request: Request): boolean {
  const { headers } = request
  if (saysWhoAsks(request) || headers.has(PROOF)) return false
  if (/^application\/(?:[\w.-]+\+)?json\b/i.test(headers.get('content-type') ?? '')) return false
  const credentials = headers.get('authorization')
  if (credentials !== null) return !/^Bearer /i.test(credentials)
  return headers.has('cookie') || /^Mozilla\//.test(headers.get('user-agent') ?? '')
}

/** Over TLS every browser sends `Sec-Fetch-Site`: a request without it does not come from a browser. */
function saysWhoAsks(request: Request): boolean {
  const protocol = request.headers.get('x-forwarded-proto')?.split(',')[0]?.trim()
  return (protocol ?? new URL(request.url).protocol.slice(0, -1)) === 'https'
}
