/** The endpoints for operators and other services, behind one catch-all route. */
import { mustBeKnown } from '../../base/options.js'
import { type ConsumeOptions, checkOptions } from '../../consume/options.js'
import { defaultSymphony } from '../../default/instance.js'
import type { AnySymphony } from '../../symphony.js'
import { type Authorize, guard, mustBeAuthorize } from '../authorization/guard.js'
import { mustBeAllowed, needed } from '../authorization/permissions.js'
import { consume } from '../endpoints/consume.js'
import { failed } from '../endpoints/dead-letters.js'
import { dispatching } from '../endpoints/dispatch.js'
import { editing } from '../endpoints/edit.js'
import type { Call, Endpoint, EndpointSettings } from '../endpoints/endpoint.js'
import { findEndpoint } from '../endpoints/endpoint.js'
import { insights } from '../endpoints/insights.js'
import { admin } from '../endpoints/messages.js'
import { monitoring } from '../endpoints/monitor.js'
import { operations } from '../endpoints/operations.js'
import { queues } from '../endpoints/queues.js'
import { schedules } from '../endpoints/schedules.js'
import { descriptions } from '../openapi/descriptions.js'
import { openApi } from '../openapi/document.js'
import { redactionOf } from '../redaction/redaction.js'
import { readQuery } from '../requests/fields.js'
import { segmentsOf } from '../requests/path.js'
import { Answer, jsonAnswer } from '../responses/answer.js'
import { answering, type CatchAllHandler, mustBeRequest, type RouteContext, type RouteHandler } from './handler.js'
import { timeLimitFor } from './time-limit.js'

/** Options of {@link createSymphonyRoute}. */
export interface SymphonyRouteOptions {
  /** The queue that the endpoints are about; by default the default instance. */
  symphony?: AnySymphony
  /** Decides who may call; without it nobody may. See {@link bearerToken} for a secret. */
  authorize?: Authorize
  /** The path of the route; only for servers other than Next.js. `'/api/symphony'` by default. */
  basePath?: string
  /** Options of every `POST consume`, in addition to its body, such as `registry` and `queues`. */
  consume?: Omit<ConsumeOptions, 'deadline'>
  /** Seconds after which the platform kills the function, as `export const maxDuration`. */
  maxDuration?: number
}

/** The handlers of the endpoints. */
export interface SymphonyRoute {
  /** Figures, lists and single messages. */
  GET: CatchAllHandler
  /** Dispatching, consuming, putting back, cancelling. */
  POST: CatchAllHandler
  /** Deleting dead letters and schedules. */
  DELETE: CatchAllHandler
  /** All of them, by the request's method, for servers other than Next.js. */
  handle: RouteHandler
}

const ENDPOINTS: readonly Endpoint[] = [
  { method: 'GET', path: '', run: index },
  { method: 'GET', path: 'openapi.json', run: document },
  ...dispatching,
  ...consume,
  ...queues,
  ...monitoring,
  ...failed,
  ...admin,
  ...editing,
  ...operations,
  ...insights,
  ...schedules,
]

/** What there is, for one who opens the route itself. */
async function index({ url }: Call): Promise<Answer> {
  readQuery(url, {})
  const endpoints = ENDPOINTS.filter(({ path }) => path !== '').map(({ method, path }) => `${method} ${path}`)
  return new Answer({ success: true, endpoints })
}

/** The same for programs. Not an {@link Answer}: a document of OpenAPI has properties of its own only. */
async function document({ url }: Call): Promise<Response> {
  readQuery(url, {})
  const server = url.pathname.slice(0, -'/openapi.json'.length)
  return jsonAnswer(openApi(ENDPOINTS, server, descriptions))
}

const OPTIONS = ['symphony', 'authorize', 'basePath', 'consume', 'maxDuration']

const REMEDY =
  'Pass `authorize` to createSymphonyRoute(): a function of the request that returns true for authorized callers, ' +
  'or bearerToken(process.env.QUEUE_TOKEN)'

/**
 * The endpoints, for `app/api/symphony/[...symphony]/route.ts`. Without `authorize` every one of them answers 401.
 *
 * @throws ConfigurationError naming the invalid option.
 *
 * @example
 * export const maxDuration = 60
 * export const { GET, POST, DELETE } = createSymphonyRoute({
 *   maxDuration,
 *   authorize: async (request) => (await getSession(request))?.role === 'admin',
 * })
 */
export function createSymphonyRoute(options: SymphonyRouteOptions = {}): SymphonyRoute {
  mustBeKnown(options, OPTIONS)
  const { authorize, basePath = '/api/symphony' } = options
  mustBeAuthorize(authorize)
  const settings = settingsOf(options)
  const handle = (request: Request, context?: RouteContext): Promise<Response> => {
    mustBeRequest(request)
    const symphony = options.symphony ?? defaultSymphony()
    return answering(symphony, async () => {
      const url = new URL(request.url)
      const segments = await segmentsOf(url, context, basePath)
      const grant = await guard(request, { authorize, remedy: REMEDY }, segments)
      if (grant instanceof Response) return grant
      const { endpoint, parameters } = findEndpoint(ENDPOINTS, request.method, segments)
      mustBeAllowed(grant, needed(endpoint.method, endpoint.path))
      const redaction = redactionOf(grant)
      const answer = await endpoint.run({ request, url, parameters, settings, symphony, grant, redaction })
      return answer instanceof Answer ? new Answer(redaction.anything(answer.body), answer.status) : answer
    })
  }
  return { GET: handle, POST: handle, DELETE: handle, handle }
}

function settingsOf({ consume = {}, maxDuration }: SymphonyRouteOptions): EndpointSettings {
  const { timeLimit, ...rest } = consume
  const checked = checkOptions(consume)
  return { consume: rest, timeLimit: timeLimitFor(maxDuration, checked.timeLimit) }
}
