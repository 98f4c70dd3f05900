/** Which part of a URL names the endpoint. */
import type { RouteContext } from './handler.js'

/**
 * The segments below the route. Next.js says how many its catch-all took; elsewhere they are what follows `basePath`.
 */
export async function segmentsOf(url: URL, context: RouteContext | undefined, basePath: string): Promise<string[]> {
  const caught = Object.values((await context?.params) ?? {}).find(Array.isArray)
  const all = url.pathname.split('/').filter((part) => part !== '')
  const own = caught === undefined ? below(all, basePath) : all.slice(-caught.length)
  return own.map(decode)
}

function below(all: string[], basePath: string): string[] {
  const base = basePath.split('/').filter((part) => part !== '')
  return base.every((part, index) => all[index] === part) ? all.slice(base.length) : []
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
