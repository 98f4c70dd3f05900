/** Who may call. Everything is closed until the application opens it. */
import { ConfigurationError } from '../../base/errors.js'
import { shown } from '../../base/options.js'
import { isDevelopment } from '../responses/answer.js'
import { RequestProblem } from '../responses/problem.js'
import { refuseForgery } from './forgery.js'
import { type Grant, isGrant } from './permissions.js'
import { hasBearer } from './secret.js'

/** What a request asks of a route. */
export interface AskedFor {
  /**
   * The parts of the path below the route, decoded: `['failed', id, 'retry']`. Empty for the cron routes. Check this to
   * allow only some endpoints: the same name can be written in a URL in several ways.
   */
  path: readonly string[]
}

/** What `authorize` says: `true` opens everything, a {@link Grant} what its role may do. */
export type Verdict = boolean | Response | Grant

/**
 * Decides whether a request may pass: `true` opens the route, and so does a role for what it may do; a `Response` is sent
 * instead, such as a redirect to a login. It sees method, URL and headers, and must not read the body, which the endpoint
 * needs.
 */
export type Authorize = (request: Request, asked: AskedFor) => Verdict | Promise<Verdict>

/** What opens a route. */
export interface Doors {
  /** The application's own check. */
  authorize?: Authorize
  /** Whether `Authorization: Bearer $CRON_SECRET` opens as well. */
  cronSecret?: boolean
  /** Whether a GET changes something, so that it is guarded like a POST. */
  effects?: boolean
  /** How to open it, for a developer who finds it closed. */
  remedy: string
}

const READS = ['GET', 'HEAD']

/** Who has the secret, or is simply let in. */
const EVERYTHING: Grant = { role: 'admin' }

/**
 * Lets a request pass, or not.
 *
 * @returns what it may do, or the response of `authorize`, if there is one.
 * @throws RequestProblem 401, or 403 for a request that another site caused.
 */
export async function guard(request: Request, doors: Doors, path: readonly string[] = []): Promise<Response | Grant> {
  if (doors.cronSecret && hasBearer(request, process.env.CRON_SECRET)) return EVERYTHING
  const verdict = await doors.authorize?.(request, { path })
  if (verdict instanceof Response) return verdict
  const grant = verdict === true ? EVERYTHING : verdict
  if (!isGrant(grant)) throw unauthorized(doors.remedy)
  if (request.bodyUsed) {
    throw new ConfigurationError('`authorize` read the body: let it read `request.clone()`, or the headers alone')
  }
  if (doors.effects || !READS.includes(request.method)) refuseForgery(request)
  return grant
}

/**
 * Refuses an `authorize` that nobody could call, and does not show it: it may be a secret.
 *
 * @throws ConfigurationError
 */
export function mustBeAuthorize(authorize: unknown): void {
  if (authorize === undefined || typeof authorize === 'function') return
  const found = typeof authorize === 'string' ? 'a text' : shown(authorize)
  throw new ConfigurationError(
    `options.authorize: got ${found}, wants a function of the request; bearerToken(() => secret) makes one of a secret`,
  )
}

function unauthorized(remedy: string): RequestProblem {
  const message = isDevelopment() ? `not authorized. ${remedy}` : 'not authorized'
  return new RequestProblem(401, 'SYMPHONY_UNAUTHORIZED', message, { headers: { 'www-authenticate': 'Bearer' } })
}
