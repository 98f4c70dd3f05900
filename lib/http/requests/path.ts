/** Which part of a URL names the endpoint. */

import { badRequest } from '../responses/problem.js'
import type { RouteContext } from '../routes/handler.js'
import { cut } from './fields.js'

/**
 * The parts of the path below the route, decoded. Next.js says how many its catch-all matched; elsewhere they are what
 * follows `basePath`.
 *
 * A path has only one spelling, so that an `authorize` that checks the URL sees the endpoint that will run.
 *
 * @throws RequestProblem 400 for one that hides what it names: with letters as `%61`, or nothing between two slashes.
 */
export async function segmentsOf(url: URL, context: RouteContext | undefined, basePath: string): Promise<string[]> {
  const caught = Object.values((await context?.params) ?? {}).find(Array.isArray)
  const all = url.pathname.split('/').slice(1)
  const base = basePath.split('/').filter((part) => part !== '')
  // Next.js sends a slash at the end away, unless `trailingSlash` asks for it; elsewhere only the route's own path has one.
  if (all.at(-1) === '' && (context !== undefined || all.length <= base.length + 1)) all.pop()
  if (all.includes(''))
    throw badRequest('path: has an empty part; write one slash between two, none at the end', 'path')
  const parts = all.map(decode)
  return caught === undefined ? below(parts, base) : parts.slice(-caught.length)
}

/** A path that no endpoint has, for what lies outside the route's own. */
const OUTSIDE = ['']

function below(all: string[], base: string[]): string[] {
  return base.every((part, index) => all[index] === part) ? all.slice(base.length) : OUTSIDE
}

/** Letters, digits, `-`, `.`, `_` and `~`, which mean the same as themselves. */
const NEEDLESS = /%(?:2[de]|3\d|[46][1-9a-f]|[57][\da]|5f|7e)/i

function decode(part: string): string {
  const needless = NEEDLESS.exec(part)?.[0]
  if (needless !== undefined) {
    throw badRequest(`path: write ${decodeURIComponent(needless)} as it is, not as ${needless}`, 'path')
  }
  try {
    return decodeURIComponent(part)
  } catch {
    throw badRequest(`path: got "${cut(part)}", wants UTF-8 with special characters as %XX`, 'path')
  }
}
