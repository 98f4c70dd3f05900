/** What an endpoint is, and how the requested one is found. */
import { didYouMean } from '../../base/suggestions.js'
import type { ConsumeOptions } from '../../consume/options.js'
import type { Symphony } from '../../symphony.js'
import type { Grant } from '../authorization/permissions.js'
import type { Redaction } from '../redaction/redaction.js'
import { cut } from '../requests/fields.js'
import type { Answer } from '../responses/answer.js'
import { notFound } from '../responses/problem.js'
import { methodNotAllowed } from '../routes/handler.js'

/** What endpoints need to know of their route. */
export interface EndpointSettings {
  /** Options of every drain of `POST consume`, in addition to its body. */
  consume: Omit<ConsumeOptions, 'timeLimit' | 'deadline'>
  /** The longest drain, in milliseconds. */
  timeLimit: number
}

/** One call of an endpoint. */
export interface Call {
  request: Request
  url: URL
  /** The value of `:name` in the path. */
  parameters: Record<string, string>
  settings: EndpointSettings
  /** The queue that it is about. */
  symphony: Symphony
  /** What it may do. */
  grant: Grant
  /** What is hidden from it. */
  redaction: Redaction
}

/** One endpoint. */
export interface Endpoint {
  method: 'GET' | 'POST' | 'DELETE'
  /** Below the route's own path, as `failed/:id/retry`. */
  path: string
  run(call: Call): Promise<Answer | Response>
}

/**
 * The endpoint of a method and path. A path of fixed words takes precedence over one with parameters.
 *
 * @throws RequestProblem 404 for a path that does not exist, 405 for a method that it does not support.
 */
export function findEndpoint(
  endpoints: readonly Endpoint[],
  method: string,
  segments: string[],
): { endpoint: Endpoint; parameters: Record<string, string> } {
  const fitting = endpoints.filter(({ path }) => match(path, segments) !== undefined)
  const path = fitting.map((endpoint) => endpoint.path).sort((left, right) => variables(left) - variables(right))[0]
  if (path === undefined)
    throw notFound(`endpoint /${cut(segments.join('/'))} does not exist; ${known(endpoints, segments)}`)
  const here = fitting.filter((endpoint) => endpoint.path === path)
  const endpoint = here.find((it) => it.method === (method === 'HEAD' ? 'GET' : method))
  if (endpoint === undefined) throw methodNotAllowed(method, here.map((it) => it.method).sort())
  return { endpoint, parameters: match(path, segments) ?? {} }
}

function known(endpoints: readonly Endpoint[], segments: string[]): string {
  const words = new Set(endpoints.map(({ path }) => path.split('/')[0]))
  const paths = endpoints.map(({ path }) => path)
  return `the paths begin with ${[...words].filter(Boolean).sort().join(', ')}${didYouMean(paths, segments.join('/'))}`
}

function match(path: string, segments: string[]): Record<string, string> | undefined {
  const parts = path === '' ? [] : path.split('/')
  if (parts.length !== segments.length) return undefined
  const parameters: Record<string, string> = {}
  for (const [index, part] of parts.entries()) {
    const segment = segments[index] ?? ''
    if (part.startsWith(':')) parameters[part.slice(1)] = segment
    else if (part !== segment) return undefined
  }
  return parameters
}

function variables(path: string): number {
  return path.split('/').filter((part) => part.startsWith(':')).length
}
