/**
 * The HTTP routes that the seeds call, answered from the JavaScript API, and a `fetch` that finds them by their path.
 * To be replaced by the package's own routes as soon as it has them.
 */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { listFailed, queueDepth, retryFailed, type Worker } from '@leadmap/symphony'

const realFetch = globalThis.fetch

type Answer = Promise<Record<string, unknown>>

const depth = async () => {
  const queues = await queueDepth()
  const pending = queues.reduce((sum, queue) => sum + queue.pending, 0)
  return { pending, depth: queues.reduce((sum, queue) => sum + queue.delayed + queue.processing, pending) }
}

async function answer(method: string, url: URL, worker: Worker): Answer {
  const [, failedId] = /^\/api\/symphony\/failed\/([^/]+)\/retry$/.exec(url.pathname) ?? []
  if (method === 'POST' && failedId) return { success: true, retried: await retryFailed(failedId) }
  switch (`${method} ${url.pathname}`) {
    case 'GET /api/symphony/health': {
      const { status } = await worker.health()
      return { health: { status, metrics: { queueDepth: (await depth()).depth } } }
    }
    case 'GET /api/symphony/metrics': {
      const { succeeded, claimed, averageProcessingTime } = worker.stats()
      return {
        metrics: {
          minutes: Number(url.searchParams.get('minutes')),
          successRate: succeeded / claimed,
          averageProcessingTime,
        },
      }
    }
    case 'GET /api/symphony/status':
      return { queue: await depth() }
    case 'GET /api/symphony/failed':
      return { ...(await listFailed({ limit: Number(url.searchParams.get('limit')) })) }
    default:
      throw new Error(`no route ${method} ${url.pathname}`)
  }
}

/** Serves the routes. The worker is the one that health and metrics are about. */
export async function serveRoutes(worker: Worker): Promise<{ fetch: typeof realFetch; close(): void }> {
  const server = createServer(async (request: IncomingMessage, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const [status, body] = await answer(request.method ?? 'GET', url, worker).then(
      (found) => [200, found] as const,
      (error: Error) => [500, { error: error.message }] as const,
    )
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    fetch: (input, init) => realFetch(new URL(String(input), base), { ...init, headers: { connection: 'close' } }),
    close: () => server.close(),
  }
}
